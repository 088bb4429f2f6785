// Takes requests as receivers in Node.js take them, step by step as the documentation of the systems that Tidegate stands
// in for tells their users to, and by npm's standardwebhooks. tests/it/receivers.rs is the other end, and all programs in
// this folder speak alike: a JSON line in for each request, a JSON line out for its verdict, in order.
//
//   {scheme, secret, at?, headers: [[name, value]…], bodyBase64}  ->  {ok: true, event?} or {ok: false, why} or {error}
//
// `headers` are as they came, `at` is the time that the receiver sees, in Unix seconds (its own where none is given), and
// `event` is the type that its handler reads from the body. The first argument is the folder with the npm packages.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { setTime } from "../vendors/globals.mjs";

const { Webhook } = createRequire(`${process.argv[2]}/`)("standardwebhooks");

const hexOf = (secret, message) => createHmac("sha256", secret).update(message).digest("hex");

// Buffers of different lengths make it throw, and then a handler answers 500.
const sameText = (one, other) => timingSafeEqual(Buffer.from(one), Buffer.from(other));
const sameBytes = (one, other) => timingSafeEqual(Buffer.from(one, "hex"), Buffer.from(other, "hex"));

/** What express.json() makes of it: nothing, unless its type says JSON and it is an object or an array. */
function parsed({ headers, body }) {
    const [type] = (headers["content-type"] ?? "").split(";");
    if (type.trim().toLowerCase() !== "application/json") throw new Error(`the content type is ${type}`);
    const document = JSON.parse(body.toString());
    if (document === null || typeof document !== "object") throw new Error("the body is neither object nor array");
    return document;
}

/** Each answers whether the signature is right, and then which event its handler sees. */
const receivers = {
    collecta: {
        isValid: ({ headers, body, secret }) =>
            sameText(headers["x-webhook-signature"], `sha256=${hexOf(secret, body)}`),
        event: ({ body }) => JSON.parse(body.toString()).event,
    },
    collectiq: {
        isValid: ({ headers, body, secret }) =>
            sameBytes(headers["x-collectiq-signature"].replace("sha256=", ""), hexOf(secret, body.toString())),
        event: (request) => parsed(request).type,
    },
    "auction-excellence": {
        isValid: ({ headers, body, secret }) =>
            sameText(hexOf(secret, body.toString()), headers["x-webhook-signature"].replace("sha256=", "")),
        event: ({ body }) => JSON.parse(body.toString()).event,
    },
    // Of the four the one that does not sign what came, but what it makes of it.
    cliq: {
        isValid: (request) =>
            sameText(request.headers["x-cliq-signature"], hexOf(request.secret, JSON.stringify(parsed(request)))),
        event: (request) => parsed(request).type,
    },
    "standard-webhooks": {
        isValid: ({ headers, body, secret }) => {
            new Webhook(secret).verify(body, headers);
            return true;
        },
        event: ({ body }) => JSON.parse(body.toString()).type,
    },
};

/** As Node.js shows them: names in lower case, the values of a repeated one joined. */
function shown(pairs) {
    const headers = {};
    for (const [name, value] of pairs) {
        const key = name.toLowerCase();
        headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    return headers;
}

function judge({ isValid, event }, request) {
    try {
        return isValid(request) ? { ok: true, event: event(request) } : { ok: false, why: "the signature is another" };
    } catch (error) {
        return { ok: false, why: String(error.message ?? error) };
    }
}

function answer(line) {
    try {
        const { scheme, secret, at, headers, bodyBase64 } = JSON.parse(line);
        if (receivers[scheme] === undefined) throw new Error(`nobody receives ${scheme} in Node.js`);
        setTime(at);
        return judge(receivers[scheme], { secret, headers: shown(headers), body: Buffer.from(bodyBase64, "base64") });
    } catch (error) {
        return { error: String(error.stack ?? error) };
    }
}

for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(answer(line))}\n`);
}
