// Senders that sign the body alone, or parts of it.

import HmacValidator from "@adyen/api-library/lib/src/utils/hmacValidator.js";
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import * as notion from "@notionhq/client";
import * as octokit from "@octokit/webhooks-methods";
import { LogSeverity, shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import * as gocardless from "gocardless-nodejs/webhooks";
import * as razorpay from "razorpay/dist/utils/razorpay-utils.js";

import { mac } from "./mac.mjs";
import { hex, text } from "./secrets.mjs";

const github = {
    library: "@octokit/webhooks-methods",
    signs: true,
    secret: text("It's a secret to everyöne 🔑"),
    sign: async ({ secret, body }) => ({
        headers: { "content-type": "application/json", "X-Hub-Signature-256": await octokit.sign(secret, body) },
    }),
    verify: ({ secret, body, headers }) => octokit.verify(secret, body, headers["x-hub-signature-256"]),
};

const notionSender = {
    library: "@notionhq/client",
    signs: true,
    secret: text("secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"),
    sign: async ({ secret, body }) => {
        const signature = await notion.signWebhookPayload({ body, verificationToken: secret });
        return { headers: { "content-type": "application/json", "X-Notion-Signature": signature } };
    },
    verify: ({ secret, body, headers }) =>
        notion.verifyWebhookSignature({ body, signature: headers["x-notion-signature"], verificationToken: secret }),
};

// It asks for a time within a minute, and puts it into the body.
const linear = {
    library: "@linear/sdk",
    signs: false,
    secret: text("lin_wh_Q2rbZl9mKfN3sT0xVwYaHc"),
    sign: ({ secret, body, at }) => {
        const timed = JSON.stringify({ ...JSON.parse(body), webhookTimestamp: at * 1000 });
        return {
            body: timed,
            headers: { "content-type": "application/json", "Linear-Signature": mac("sha256", secret, "hex", timed) },
        };
    },
    verify: ({ secret, body, headers }) =>
        new LinearWebhookClient(secret).verify(Buffer.from(body), headers["linear-signature"]),
};

const shopify = (secret) =>
    shopifyApi({
        apiKey: "key",
        apiSecretKey: secret,
        apiVersion: "2025-07",
        hostName: "shop.example.com",
        isEmbeddedApp: false,
        logger: { level: LogSeverity.Error },
    });

const shopifySender = {
    library: "@shopify/shopify-api",
    signs: false,
    secret: text("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"),
    sign: ({ secret, body }) => ({
        headers: {
            "content-type": "application/json",
            "X-Shopify-Topic": "orders/create",
            "X-Shopify-Shop-Domain": "example.myshopify.com",
            "X-Shopify-API-Version": "2025-07",
            "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "X-Shopify-Hmac-Sha256": mac("sha256", secret, "base64", body),
        },
    }),
    // Tidegate signs, and leaves the rest of the headers to whoever sends: the library asks that they be there.
    verify: async ({ secret, body, headers }) => {
        const given = {
            "x-shopify-topic": "orders/create",
            "x-shopify-shop-domain": "example.myshopify.com",
            "x-shopify-api-version": "2025-07",
            "x-shopify-webhook-id": "1",
            ...headers,
        };
        const rawRequest = { method: "POST", url: "/", headers: given };
        const rawResponse = {};
        return (await shopify(secret).webhooks.validate({ rawBody: body, rawRequest, rawResponse })).valid;
    },
};

const gocardlessSender = {
    library: "gocardless-nodejs",
    signs: false,
    secret: text("ED7D658C-D8EB-4941-948B-3973214F2D49"),
    sign: ({ secret, body }) => ({
        headers: { "content-type": "application/json", "Webhook-Signature": mac("sha256", secret, "hex", body) },
    }),
    verify: ({ secret, body, headers }) => {
        gocardless.verifySignature(body, secret, headers["webhook-signature"]);
        return true;
    },
};

const razorpaySender = {
    library: "razorpay",
    signs: false,
    secret: text("rzp-webhook-secret"),
    sign: ({ secret, body }) => ({
        headers: { "content-type": "application/json", "X-Razorpay-Signature": mac("sha256", secret, "hex", body) },
    }),
    verify: ({ secret, body, headers }) =>
        razorpay.validateWebhookSignature(body, headers["x-razorpay-signature"], secret),
};

// The signature stands inside of what it signs: eight fields of the one item.
const itemOf = (body) => JSON.parse(body).notificationItems[0].NotificationRequestItem;

const adyen = {
    library: "@adyen/api-library",
    signs: true,
    secret: hex("adyen", 32),
    sign: ({ secret, body }) => {
        const notification = JSON.parse(body);
        const item = notification.notificationItems[0].NotificationRequestItem;
        const hmacSignature = new HmacValidator.default().calculateHmac(item, secret);
        item.additionalData = { ...item.additionalData, hmacSignature };
        return { body: JSON.stringify(notification), headers: { "content-type": "application/json" } };
    },
    verify: ({ secret, body }) => new HmacValidator.default().validateHMAC(itemOf(body), secret),
};

const adyenPlatform = {
    library: "@adyen/api-library",
    signs: true,
    secret: hex("adyen-platform", 32),
    sign: ({ secret, body }) => {
        const signature = new HmacValidator.default().calculateHmac(body, secret);
        return { headers: { "content-type": "application/json", HmacSignature: signature } };
    },
    verify: ({ secret, body, headers }) =>
        new HmacValidator.default().validateHMACSignature(secret, headers.hmacsignature, body),
};

export const bodies = {
    adyen,
    "adyen-platform": adyenPlatform,
    github,
    gocardless: gocardlessSender,
    linear,
    notion: notionSender,
    razorpay: razorpaySender,
    shopify: shopifySender,
};
