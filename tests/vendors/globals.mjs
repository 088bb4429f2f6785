// What the libraries find around them. Imported before any of them.

import { webcrypto } from "node:crypto";

// Node.js 18 has it, and does not show it.
globalThis.crypto ??= webcrypto;

// The time is a job's `at`, and stands still, so that a slow machine changes no verdict.
const SystemDate = globalThis.Date;
let now;

class StoppedDate extends SystemDate {
    constructor(...parts) {
        if (parts.length === 0) super(StoppedDate.now());
        else super(...parts);
    }

    static now() {
        return now ?? SystemDate.now();
    }
}

globalThis.Date = StoppedDate;

/** In Unix seconds; the system's own where none is given. */
export function setTime(at) {
    now = at === undefined ? undefined : at * 1000;
}
