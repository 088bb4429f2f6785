// Senders that post forms.

import { parse } from "node:querystring";

import braintree from "braintree";
import twilio from "twilio/lib/webhooks/webhooks.js";

import { hex, text } from "./secrets.mjs";

const form = { "content-type": "application/x-www-form-urlencoded" };
const token = hex("twilio", 16);

const twilioForm = {
    library: "twilio",
    signs: true,
    secret: token,
    sign: ({ secret, body, url }) => {
        const signature = twilio.getExpectedTwilioSignature(secret, url, { ...parse(body) });
        return { headers: { ...form, "X-Twilio-Signature": signature } };
    },
    verify: ({ secret, body, url, headers }) =>
        twilio.validateRequest(secret, headers["x-twilio-signature"], url, { ...parse(body) }),
};

// The URL carries the body's hash, and the signature covers the URL.
const twilioJson = {
    library: "twilio",
    signs: true,
    secret: token,
    sign: ({ secret, body, url }) => {
        const whole = `${url}${url.includes("?") ? "&" : "?"}bodySHA256=${twilio.getExpectedBodyHash(body)}`;
        const signature = twilio.getExpectedTwilioSignature(secret, whole, {});
        return { url: whole, headers: { "content-type": "application/json", "X-Twilio-Signature": signature } };
    },
    verify: ({ secret, body, url, headers }) =>
        twilio.validateRequestWithBody(secret, headers["x-twilio-signature"], url, body),
};

const PUBLIC_KEY = "integration_public_key";

const gateway = (privateKey) =>
    new braintree.BraintreeGateway({
        environment: braintree.Environment.Sandbox,
        merchantId: "integration_merchant_id",
        publicKey: PUBLIC_KEY,
        privateKey,
    });

// The library makes the whole notification; a job's `body` names what it is about.
const braintreeSender = {
    library: "braintree",
    signs: true,
    secret: text("integration_private_key"),
    sign: async ({ secret, body }) => {
        const kind = braintree.WebhookNotification.Kind.SubscriptionWentPastDue;
        const sample = await gateway(secret).webhookTesting.sampleNotification(kind, body);
        return { body: new URLSearchParams(sample).toString(), headers: form };
    },
    verify: async ({ secret, body }) => {
        const { bt_signature: signature, bt_payload: payload } = parse(body);
        await gateway(secret).webhookNotification.parse(signature, payload);
        return true;
    },
};

export const forms = { braintree: braintreeSender, twilio: twilioForm, "twilio-json": twilioJson };
