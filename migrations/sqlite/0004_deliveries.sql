-- What flows out: endpoints, what is owed to them, what became of it, and jobs. migrations/postgres has the same.

CREATE TABLE endpoints (
    id              TEXT    PRIMARY KEY,
    settings        TEXT    NOT NULL,
    -- Custom headers, which may hold credentials: sealed as one JSON object.
    headers         BLOB,
    state           TEXT    NOT NULL CHECK (state IN ('enabled', 'disabled')),
    -- Why it is disabled: admin, gone or failing.
    cause           TEXT,
    state_at        INTEGER NOT NULL,
    -- Changes above this number are owed to it.
    since           INTEGER NOT NULL,
    -- What it missed while it was disabled: above the one, up to the other (still growing when that is null).
    missed_from     INTEGER,
    missed_to       INTEGER,
    -- First and last failed attempt since the last delivered one.
    failing_since   INTEGER,
    failed_at       INTEGER,
    -- When the operator was last told that it fails.
    told_at         INTEGER,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- Place 0 signs what has room for one signature; 1 is the next one, while both are valid.
CREATE TABLE endpoint_secrets (
    endpoint_id     TEXT    NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    place           INTEGER NOT NULL,
    sealed          BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    PRIMARY KEY (endpoint_id, place)
) STRICT;

-- Up to which change deliveries were made of the log. Who moves the row has made the next ones. The epoch moves with
-- every change of the endpoints, so that nobody makes deliveries for those that were.
CREATE TABLE fanout (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    seq             INTEGER NOT NULL,
    epoch           INTEGER NOT NULL
) STRICT;
INSERT INTO fanout (one, seq, epoch) SELECT 1, coalesce(max(seq), 0), 1 FROM changes;

-- All that a body depends on besides its change and its delivery, by the hash of it: what is sent again is the same.
CREATE TABLE renderings (
    id              TEXT    PRIMARY KEY,
    document        TEXT    NOT NULL
) STRICT;

-- Deliveries that are neither delivered nor given up. Small and busy; a row goes when it is settled.
CREATE TABLE due (
    id              TEXT    PRIMARY KEY,
    endpoint_id     TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    -- Which of the change's events.
    part            INTEGER NOT NULL,
    type            TEXT    NOT NULL,
    module_id       TEXT    NOT NULL,
    record_id       TEXT    NOT NULL,
    rendering       TEXT    NOT NULL,
    -- 1: never before an earlier one of the same record and endpoint is settled.
    ordered         INTEGER NOT NULL,
    -- 0 fresh, 1 to be tried again, 2 sent again: each has its share, so that none starves another.
    lane            INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    -- How many of them were before it was sent again: its schedule begins there.
    retried_from    INTEGER NOT NULL DEFAULT 0,
    -- When it may be sent; of a claimed one the end of the lease; null while an earlier one of its record stands.
    run_at          INTEGER,
    -- Who sends it now: a replica and a number.
    claim           TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX due_next ON due (endpoint_id, lane, run_at);
CREATE INDEX due_record ON due (endpoint_id, record_id, seq, part) WHERE ordered = 1;
CREATE INDEX due_claimed ON due (claim) WHERE claim IS NOT NULL;

-- Settled deliveries.
CREATE TABLE deliveries (
    id              TEXT    PRIMARY KEY,
    endpoint_id     TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    part            INTEGER NOT NULL,
    type            TEXT    NOT NULL,
    module_id       TEXT    NOT NULL,
    record_id       TEXT    NOT NULL,
    rendering       TEXT    NOT NULL,
    -- delivered or failed
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    -- Of the last attempt.
    status          INTEGER,
    error           TEXT,
    created_at      INTEGER NOT NULL,
    settled_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);

CREATE TABLE attempts (
    id               TEXT    PRIMARY KEY,
    delivery_id      TEXT    NOT NULL,
    endpoint_id      TEXT    NOT NULL,
    number           INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    url              TEXT    NOT NULL,
    -- Custom headers by name only.
    request_headers  TEXT    NOT NULL,
    request_body     BLOB    NOT NULL,
    request_size     INTEGER NOT NULL,
    address          TEXT,
    status           INTEGER,
    response_headers TEXT,
    response_body    BLOB,
    -- A class of errors, and what may be said of this one.
    error            TEXT,
    detail           TEXT,
    -- Microseconds; null where nothing of the kind was done.
    dns_us           INTEGER,
    connect_us       INTEGER,
    tls_us           INTEGER,
    first_byte_us    INTEGER,
    total_us         INTEGER NOT NULL,
    next_at          INTEGER
) STRICT;
CREATE INDEX attempts_delivery ON attempts (delivery_id, id);

-- Long work, done in steps that survive a restart.
CREATE TABLE jobs (
    id              TEXT    PRIMARY KEY,
    kind            TEXT    NOT NULL,
    spec            TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    total           INTEGER NOT NULL,
    done            INTEGER NOT NULL,
    -- Looked at and left alone.
    skipped         INTEGER NOT NULL,
    -- Where the next step begins.
    cursor          TEXT    NOT NULL,
    claim           TEXT,
    -- Nobody else takes it before; of one that nobody has, when its next step is due.
    lease_until     INTEGER,
    error           TEXT,
    actor           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    finished_at     INTEGER
) STRICT;
CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('queued', 'running');
