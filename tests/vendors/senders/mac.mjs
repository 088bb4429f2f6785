import { createHmac } from "node:crypto";

/** An HMAC over the parts, one after the other; each is taken as UTF-8. */
export const mac = (algorithm, key, encoding, ...parts) =>
    parts.reduce((mac, part) => mac.update(part, "utf8"), createHmac(algorithm, key)).digest(encoding);
