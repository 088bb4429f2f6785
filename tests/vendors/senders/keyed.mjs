// Senders that sign with a private key, and whose admins paste the public one; and those that send JSON Web Tokens.

import { createHash, createSecretKey, generateKeyPairSync, sign as signBytes } from "node:crypto";

import sendgrid from "@sendgrid/eventwebhook";
import vonage from "@vonage/jwt";
import discord from "discord-interactions";
import messagebird from "messagebird/lib/webhook-signature-jwt.js";
import { Telnyx } from "telnyx";

import { mac } from "./mac.mjs";
import { text } from "./secrets.mjs";

const json = { "content-type": "application/json" };
const spki = { format: "der", type: "spki" };
const pkcs8 = { format: "der", type: "pkcs8" };
// The last bytes of these encodings are the keys themselves (RFC 8410).
const rawPublic = (key) => key.export(spki).subarray(-32);
const rawPrivate = (key) => key.export(pkcs8).subarray(-32);

const ed25519 = generateKeyPairSync("ed25519");
const p256 = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

const signed = (algorithm, key, encoding, message) =>
    signBytes(algorithm, Buffer.from(message), key).toString(encoding);

const discordSender = {
    library: "discord-interactions",
    signs: false,
    secret: () => ({
        secret: rawPublic(ed25519.publicKey).toString("hex"),
        private: rawPrivate(ed25519.privateKey).toString("hex"),
    }),
    sign: ({ body, at }) => ({
        headers: {
            ...json,
            "X-Signature-Timestamp": `${at}`,
            "X-Signature-Ed25519": signed(null, ed25519.privateKey, "hex", `${at}${body}`),
        },
    }),
    verify: ({ secret, body, headers }) =>
        discord.verifyKey(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret),
};

const telnyx = {
    library: "telnyx",
    signs: false,
    secret: () => ({
        secret: rawPublic(ed25519.publicKey).toString("base64"),
        private: rawPrivate(ed25519.privateKey).toString("base64"),
    }),
    sign: ({ body, at }) => ({
        headers: {
            ...json,
            "telnyx-timestamp": `${at}`,
            "telnyx-signature-ed25519": signed(null, ed25519.privateKey, "base64", `${at}|${body}`),
        },
    }),
    verify: ({ secret, body, headers }) => {
        const signature = Buffer.from(headers["telnyx-signature-ed25519"], "base64");
        const key = Buffer.from(secret, "base64");
        new Telnyx("none").webhooks.constructEvent(body, signature, headers["telnyx-timestamp"], key);
        return true;
    },
};

const EVENT_HEADER = "X-Twilio-Email-Event-Webhook";

const sendgridSender = {
    library: "@sendgrid/eventwebhook",
    signs: false,
    secret: () => ({
        secret: p256.publicKey.export(spki).toString("base64"),
        private: p256.privateKey.export(pkcs8).toString("base64"),
    }),
    sign: ({ body, at }) => ({
        headers: {
            ...json,
            [`${EVENT_HEADER}-Timestamp`]: `${at}`,
            [`${EVENT_HEADER}-Signature`]: signed("sha256", p256.privateKey, "base64", `${at}${body}`),
        },
    }),
    verify: ({ secret, body, headers }) => {
        const library = new sendgrid.EventWebhook();
        const header = (name) => headers[`${EVENT_HEADER}-${name}`.toLowerCase()];
        const key = library.convertPublicKeyToECDSA(secret);
        return library.verifySignature(key, body, header("Signature"), header("Timestamp"));
    },
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** HS256 (RFC 7515). */
function token(secret, claims) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const message = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
    return `${message}.${mac("sha256", secret, "base64url", message)}`;
}

const messagebirdSender = {
    library: "messagebird",
    signs: false,
    secret: text("hunter2hunter2hunter2hunter2"),
    sign: ({ secret, body, url, at }) => {
        const times = { nbf: at, iat: at, exp: at + 60, jti: "0b9f5c9e-7c0f-4b7e-9a43-6a4b7a2f1c11" };
        const claims = { iss: "MessageBird", ...times, url_hash: sha256(url), payload_hash: sha256(body) };
        return { headers: { ...json, "MessageBird-Signature-JWT": token(secret, claims) } };
    },
    verify: async ({ secret, body, url, headers }) => {
        const key = createSecretKey(Buffer.from(secret));
        return messagebird.verify(url, Buffer.from(body), headers["messagebird-signature-jwt"], key);
    },
};

// The library looks at the token alone; the body's hash is its user's to compare.
const vonageSender = {
    library: "@vonage/jwt",
    signs: false,
    secret: text("vonage-signature-secret-Zk3q0Wp9"),
    sign: ({ secret, body, at }) => {
        const times = { iat: at, exp: at + 300, jti: "c6a7f0f2" };
        const claims = { iss: "Vonage", ...times, payload_hash: sha256(body), api_key: "a1b2c3d4" };
        return { headers: { ...json, Authorization: `Bearer ${token(secret, claims)}` } };
    },
    verify: ({ secret, body, headers }) => {
        const jwt = headers.authorization.replace(/^Bearer /, "");
        const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
        return vonage.verifySignature(jwt, secret) && claims.payload_hash === sha256(body);
    },
};

export const keyed = {
    discord: discordSender,
    messagebird: messagebirdSender,
    sendgrid: sendgridSender,
    telnyx,
    vonage: vonageSender,
};
