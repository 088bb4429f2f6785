-- What flows out: endpoints, what is owed to them, what became of it, and jobs. The tables of migrations/sqlite, for
-- PostgreSQL.

CREATE TABLE endpoints (
    id              TEXT COLLATE "C" PRIMARY KEY,
    settings        TEXT COLLATE "C" NOT NULL,
    -- Custom headers, which may hold credentials: sealed as one JSON object.
    headers         BYTEA,
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('enabled', 'disabled')),
    -- Why it is disabled: admin, gone or failing.
    cause           TEXT COLLATE "C",
    state_at        BIGINT           NOT NULL,
    -- Changes above this number are owed to it.
    since           BIGINT           NOT NULL,
    -- What it missed while it was disabled: above the one, up to the other (still growing when that is null).
    missed_from     BIGINT,
    missed_to       BIGINT,
    -- First and last failed attempt since the last delivered one.
    failing_since   BIGINT,
    failed_at       BIGINT,
    -- When the operator was last told that it fails.
    told_at         BIGINT,
    version         BIGINT           NOT NULL,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL
);

-- Place 0 signs what has room for one signature; 1 is the next one, while both are valid.
CREATE TABLE endpoint_secrets (
    endpoint_id     TEXT COLLATE "C" NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    place           BIGINT           NOT NULL,
    sealed          BYTEA            NOT NULL,
    created_at      BIGINT           NOT NULL,
    expires_at      BIGINT,
    PRIMARY KEY (endpoint_id, place)
);

-- Up to which change deliveries were made of the log. Who moves the row has made the next ones. The epoch moves with
-- every change of the endpoints, so that nobody makes deliveries for those that were.
CREATE TABLE fanout (
    one             BIGINT           PRIMARY KEY CHECK (one = 1),
    seq             BIGINT           NOT NULL,
    epoch           BIGINT           NOT NULL
);
INSERT INTO fanout (one, seq, epoch) SELECT 1, coalesce(max(seq), 0), 1 FROM changes;

-- All that a body depends on besides its change and its delivery, by the hash of it: what is sent again is the same.
CREATE TABLE renderings (
    id              TEXT COLLATE "C" PRIMARY KEY,
    document        TEXT COLLATE "C" NOT NULL
);

-- Deliveries that are neither delivered nor given up. Small and busy; a row goes when it is settled.
CREATE TABLE due (
    id              TEXT COLLATE "C" PRIMARY KEY,
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    seq             BIGINT           NOT NULL,
    -- Which of the change's events.
    part            BIGINT           NOT NULL,
    type            TEXT COLLATE "C" NOT NULL,
    module_id       TEXT COLLATE "C" NOT NULL,
    record_id       TEXT COLLATE "C" NOT NULL,
    rendering       TEXT COLLATE "C" NOT NULL,
    -- 1: never before an earlier one of the same record and endpoint is settled.
    ordered         BIGINT           NOT NULL,
    -- 0 fresh, 1 to be tried again, 2 sent again: each has its share, so that none starves another.
    lane            BIGINT           NOT NULL,
    attempts        BIGINT           NOT NULL,
    -- How many of them were before it was sent again: its schedule begins there.
    retried_from    BIGINT           NOT NULL DEFAULT 0,
    -- When it may be sent; of a claimed one the end of the lease; null while an earlier one of its record stands.
    run_at          BIGINT,
    -- Who sends it now: a replica and a number.
    claim           TEXT COLLATE "C",
    created_at      BIGINT           NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX due_next ON due (endpoint_id, lane, run_at);
CREATE INDEX due_record ON due (endpoint_id, record_id, seq, part) WHERE ordered = 1;
CREATE INDEX due_claimed ON due (claim) WHERE claim IS NOT NULL;

-- Settled deliveries.
CREATE TABLE deliveries (
    id              TEXT COLLATE "C" PRIMARY KEY,
    endpoint_id     TEXT COLLATE "C" NOT NULL,
    seq             BIGINT           NOT NULL,
    part            BIGINT           NOT NULL,
    type            TEXT COLLATE "C" NOT NULL,
    module_id       TEXT COLLATE "C" NOT NULL,
    record_id       TEXT COLLATE "C" NOT NULL,
    rendering       TEXT COLLATE "C" NOT NULL,
    -- delivered or failed
    state           TEXT COLLATE "C" NOT NULL,
    attempts        BIGINT           NOT NULL,
    -- Of the last attempt.
    status          BIGINT,
    error           TEXT COLLATE "C",
    created_at      BIGINT           NOT NULL,
    settled_at      BIGINT           NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE deliveries_other PARTITION OF deliveries DEFAULT;
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);

CREATE TABLE attempts (
    id               TEXT COLLATE "C" PRIMARY KEY,
    delivery_id      TEXT COLLATE "C" NOT NULL,
    endpoint_id      TEXT COLLATE "C" NOT NULL,
    number           BIGINT           NOT NULL,
    at               BIGINT           NOT NULL,
    url              TEXT COLLATE "C" NOT NULL,
    -- Custom headers by name only.
    request_headers  TEXT COLLATE "C" NOT NULL,
    request_body     BYTEA            NOT NULL,
    request_size     BIGINT           NOT NULL,
    address          TEXT COLLATE "C",
    status           BIGINT,
    response_headers TEXT COLLATE "C",
    response_body    BYTEA,
    -- A class of errors, and what may be said of this one.
    error            TEXT COLLATE "C",
    detail           TEXT COLLATE "C",
    -- Microseconds; null where nothing of the kind was done.
    dns_us           BIGINT,
    connect_us       BIGINT,
    tls_us           BIGINT,
    first_byte_us    BIGINT,
    total_us         BIGINT           NOT NULL,
    next_at          BIGINT
) PARTITION BY RANGE (id);
CREATE TABLE attempts_other PARTITION OF attempts DEFAULT;
CREATE INDEX attempts_delivery ON attempts (delivery_id, id);

-- Long work, done in steps that survive a restart.
CREATE TABLE jobs (
    id              TEXT COLLATE "C" PRIMARY KEY,
    kind            TEXT COLLATE "C" NOT NULL,
    spec            TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    total           BIGINT           NOT NULL,
    done            BIGINT           NOT NULL,
    -- Looked at and left alone.
    skipped         BIGINT           NOT NULL,
    -- Where the next step begins.
    cursor          TEXT COLLATE "C" NOT NULL,
    claim           TEXT COLLATE "C",
    -- Nobody else takes it before; of one that nobody has, when its next step is due.
    lease_until     BIGINT,
    error           TEXT COLLATE "C",
    actor           TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL,
    finished_at     BIGINT
);
CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('queued', 'running');
