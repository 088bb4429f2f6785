// Secrets as their vendors give them out. Fixed ones, so that a failure can be run again.

import { createHash } from "node:crypto";

const bytes = (seed, length) => createHash("sha256").update(seed).digest().subarray(0, length);

export const text = (value) => () => ({ secret: value });
export const hex = (seed, length) => text(bytes(seed, length).toString("hex"));
export const base64 = (prefix, seed, length) => text(prefix + bytes(seed, length).toString("base64"));
