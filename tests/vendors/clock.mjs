// The time that the libraries see: a job's `at`. It stands still, so that a slow machine changes no verdict.

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
