// Senders that sign a time with the body, and often a URL or an id.

import hubspot from "@hubspot/api-client/lib/src/utils/signature.js";
import { Paddle } from "@paddle/paddle-node-sdk";
import * as sanity from "@sanity/webhook";
import bolt from "@slack/bolt/dist/receivers/verify-request.js";
import { WorkOS } from "@workos-inc/node";
import mercadopago from "mercadopago";
import OpenAI from "openai";
import { validateWebhook } from "replicate";
import { Resend } from "resend";
import square from "square";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as Svix } from "svix";

import { mac } from "./mac.mjs";
import { base64, hex, text } from "./secrets.mjs";

const json = { "content-type": "application/json" };

/** Three headers whose names begin alike. */
const standard = (library, name, Library) => ({
    library,
    signs: true,
    secret: base64("whsec_", library, 24),
    sign: ({ secret, body, at, headers }) => {
        const id = headers[`${name}-id`] ?? "msg_p5jXN8AQM9LWM0D4loKWxJek";
        const signature = new Library(secret).sign(id, new Date(at * 1000), body);
        return {
            headers: { ...json, [`${name}-id`]: id, [`${name}-timestamp`]: `${at}`, [`${name}-signature`]: signature },
        };
    },
    verify: ({ secret, body, headers }) => {
        new Library(secret).verify(body, headers);
        return true;
    },
});

const standardWebhooks = standard("standardwebhooks", "webhook", Webhook);
const svix = standard("svix", "svix", Svix);

// Their senders sign by the libraries above; these three judge by code of their own.
const replicate = {
    ...standardWebhooks,
    library: "replicate",
    signs: false,
    verify: ({ secret, body, headers }) => validateWebhook({ headers, body }, secret, globalThis.crypto),
};

const openai = {
    ...standardWebhooks,
    library: "openai",
    signs: false,
    verify: async ({ secret, body, headers }) => {
        await new OpenAI({ apiKey: "none" }).webhooks.verifySignature(body, headers, secret);
        return true;
    },
};

const resend = {
    ...svix,
    library: "resend",
    signs: false,
    verify: ({ secret, body, headers }) => {
        const header = (name) => headers[`svix-${name}`];
        const signed = { id: header("id"), timestamp: header("timestamp"), signature: header("signature") };
        new Resend("re_none").webhooks.verify({ payload: body, headers: signed, webhookSecret: secret });
        return true;
    },
};

const stripeClient = new Stripe("sk_test_none");

const stripe = {
    library: "stripe",
    signs: true,
    secret: text("whsec_5f3a9c8e7d6b4a2f1e0d9c8b7a695847362514039f8e7d6c"),
    sign: ({ secret, body, at }) => {
        const header = stripeClient.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at });
        return { headers: { ...json, "Stripe-Signature": header } };
    },
    verify: ({ secret, body, headers }) => {
        stripeClient.webhooks.constructEvent(body, headers["stripe-signature"], secret);
        return true;
    },
};

const slack = {
    library: "@slack/bolt",
    signs: false,
    secret: hex("slack", 16),
    sign: ({ secret, body, at }) => ({
        headers: {
            ...json,
            "X-Slack-Request-Timestamp": `${at}`,
            "X-Slack-Signature": `v0=${mac("sha256", secret, "hex", `v0:${at}:`, body)}`,
        },
    }),
    verify: ({ secret, body, headers }) => {
        bolt.verifySlackRequest({ signingSecret: secret, body, headers });
        return true;
    },
};

const squareSender = {
    library: "square",
    signs: false,
    secret: text("asdf1234-SignatureKey_Q"),
    sign: ({ secret, body, url }) => ({
        headers: { ...json, "x-square-hmacsha256-signature": mac("sha256", secret, "base64", url, body) },
    }),
    verify: ({ secret, body, url, headers }) =>
        square.WebhooksHelper.isValidWebhookEventSignature(body, headers["x-square-hmacsha256-signature"], secret, url),
};

// The library leaves it to its user to unescape these in the URL (HubSpot's documentation of v3 lists them).
const UNESCAPED = ":/?@!$'()*,;";
const unescaped = (url) =>
    url.replace(/%[0-9A-F]{2}/gi, (escape) => {
        const char = decodeURIComponent(escape.replace(/%[89A-F]./i, "%00"));
        return UNESCAPED.includes(char) ? char : escape;
    });

const hubspotSender = (version) => ({
    library: "@hubspot/api-client",
    signs: true,
    secret: text("232db2615-f3d6-66fe-21a8-ec971ac7b540"),
    sign: (job) => {
        const signature = hubspot.Signature.getSignature(job.method, version, options(version, job, job.at * 1000));
        const headers =
            version === "v3"
                ? { "X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": `${job.at * 1000}` }
                : { "X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": version };
        return { headers: { ...json, ...headers } };
    },
    verify: (job) => {
        const signature = job.headers[version === "v3" ? "x-hubspot-signature-v3" : "x-hubspot-signature"];
        const time = Number(job.headers["x-hubspot-request-timestamp"]);
        const rest = { method: job.method, signatureVersion: version, signature };
        return hubspot.Signature.isValid({ ...options(version, job, time), ...rest });
    },
});

const options = (version, { secret, body, url }, timestamp) => ({
    clientSecret: secret,
    requestBody: body,
    url: version === "v3" ? unescaped(url) : url,
    timestamp,
});

const paddle = {
    library: "@paddle/paddle-node-sdk",
    signs: false,
    secret: text("pdl_ntfset_01hd7wv2vbfxqh8sv1w64f6bnh_Q0p7aB1c2D3e4F5g6H7i8J9k0L1m2N3o"),
    sign: ({ secret, body, at }) => ({
        headers: { ...json, "Paddle-Signature": `ts=${at};h1=${mac("sha256", secret, "hex", `${at}:`, body)}` },
    }),
    verify: ({ secret, body, headers }) =>
        new Paddle("none").webhooks.isSignatureValid(body, secret, headers["paddle-signature"]),
};

// It signs the parsed body as JSON.stringify writes it, so the body has to be written so.
const workosClient = new WorkOS("sk_test_none");

const workos = {
    library: "@workos-inc/node",
    signs: true,
    secret: text("dY3mW9sPq7RkT2vX5zB8"),
    sign: async ({ secret, body, at }) => {
        const v1 = await workosClient.webhooks.computeSignature(at * 1000, JSON.parse(body), secret);
        return { headers: { ...json, "WorkOS-Signature": `t=${at * 1000}, v1=${v1}` } };
    },
    verify: ({ secret, body, headers }) => {
        const sigHeader = headers["workos-signature"];
        return workosClient.webhooks.verifyHeader({ payload: JSON.parse(body), sigHeader, secret });
    },
};

const sanitySender = {
    library: "@sanity/webhook",
    signs: true,
    secret: text("hurling-violet-kite"),
    sign: async ({ secret, body, at }) => {
        const signature = await sanity.encodeSignatureHeader(body, at * 1000, secret);
        return { headers: { ...json, [sanity.SIGNATURE_HEADER_NAME]: signature } };
    },
    verify: ({ secret, body, headers }) =>
        sanity.isValidSignature(body, headers[sanity.SIGNATURE_HEADER_NAME], secret),
};

const { WebhookSignatureValidator } = mercadopago;
const dataId = (url) => new URL(url).searchParams.get("data.id");

const mercadoPago = {
    library: "mercadopago",
    signs: false,
    secret: hex("mercado-pago", 32),
    sign: ({ secret, url, at, headers }) => {
        const id = headers["x-request-id"] ?? "bb56a2f1-6aae-46ac-982e-9dcd3581d08e";
        const message = `id:${dataId(url)};request-id:${id};ts:${at};`;
        const signature = `ts=${at},v1=${mac("sha256", secret, "hex", message)}`;
        return { headers: { ...json, "x-request-id": id, "x-signature": signature } };
    },
    verify: ({ secret, url, headers }) => {
        const signed = { xSignature: headers["x-signature"], xRequestId: headers["x-request-id"], dataId: dataId(url) };
        WebhookSignatureValidator.validate({ ...signed, secret });
        return true;
    },
};

export const timed = {
    clerk: svix,
    "gitlab-signed": standardWebhooks,
    hubspot: hubspotSender("v3"),
    "hubspot-v1": hubspotSender("v1"),
    "hubspot-v2": hubspotSender("v2"),
    "mercado-pago": mercadoPago,
    openai,
    paddle,
    render: standardWebhooks,
    replicate,
    resend,
    sanity: sanitySender,
    slack,
    square: squareSender,
    "standard-webhooks": standardWebhooks,
    stripe,
    svix,
    workos,
};
