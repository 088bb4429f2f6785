// Signs as the vendors sign and judges as the vendors judge, with their own client libraries: a JSON line in for each
// job, a JSON line out for its answer, in order. tests/it/vendors.rs is the other end. What a job may ask (`do`):
//
//   sign      {preset, secret, body, url, method, at, headers?}          -> {method, url, headers, body}
//   verify    {preset, secret, body, url, method, at, headers}           -> {ok: true} or {ok: false, why}
//   secret    {preset}      -> {secret, private?}: one as its admin would paste it, and what the sender keeps to itself
//   presets   {}            -> {presets: [{preset, library, version, signs}]}
//   examples  {}            -> {examples: [{event, body}]}: GitHub's payloads of @octokit/webhooks-examples
//
// `secret` is what an admin would paste into Tidegate, `at` is in Unix seconds, and the time that libraries see. No
// answer to `sign` leaves before the vendor's library has accepted it. A job that cannot be done answers {error}.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { setTime } from "./globals.mjs";
import { senders } from "./senders/index.mjs";

const require = createRequire(import.meta.url);

const lowerCase = (headers) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function senderOf(preset) {
    const sender = senders[preset];
    if (sender === undefined) throw new Error(`no vendor's library is known for the preset ${preset}`);
    return sender;
}

/** What the library says: true, or why not. */
async function judge(sender, job) {
    try {
        return (await sender.verify({ ...job, headers: lowerCase(job.headers) })) === true || "it says no";
    } catch (error) {
        return String(error.message ?? error);
    }
}

async function sign(job) {
    const sender = senderOf(job.preset);
    const signed = await sender.sign({ ...job, headers: lowerCase(job.headers ?? {}) });
    const { method, url, body } = { ...job, ...signed };
    const request = { method, url, headers: { ...job.headers, ...signed.headers }, body };
    const said = await judge(sender, { ...job, ...request });
    if (said !== true) throw new Error(`${sender.library} refuses what was signed for it: ${said}`);
    return request;
}

async function verify(job) {
    const said = await judge(senderOf(job.preset), job);
    return said === true ? { ok: true } : { ok: false, why: said };
}

// Libraries hide their package.json behind `exports`, so it is read as a file.
const versionOf = (library) =>
    JSON.parse(readFileSync(new URL(`./node_modules/${library}/package.json`, import.meta.url), "utf8")).version;

const jobs = {
    sign,
    verify,
    secret: ({ preset }) => senderOf(preset).secret(),
    presets: () => ({
        presets: Object.entries(senders).map(([preset, { library, signs }]) => ({
            preset,
            library,
            version: versionOf(library),
            signs,
        })),
    }),
    examples: () => ({
        examples: require("@octokit/webhooks-examples").flatMap(({ name, examples }) =>
            examples.map((example) => ({ event: name, body: JSON.stringify(example) })),
        ),
    }),
};

async function answer(line) {
    try {
        const job = JSON.parse(line);
        setTime(job.at);
        return await jobs[job.do](job);
    } catch (error) {
        return { error: String(error.stack ?? error) };
    }
}

// Answers alone stand on stdout: what libraries have to say goes beside it.
console.log = console.info = console.debug = console.error;

for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
