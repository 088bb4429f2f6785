-- What the gateway itself keeps: the tables of migrations/sqlite, for PostgreSQL. Times are microseconds since 1970 in
-- UTC; ids are prefixed text that sorts by time, which `COLLATE "C"` keeps true under every locale.

CREATE TABLE gateway (
    one             BIGINT           PRIMARY KEY CHECK (one = 1),
    workspace_id    TEXT COLLATE "C" NOT NULL,
    seal_key_id     TEXT COLLATE "C" NOT NULL,
    -- Moves with every change of configuration; replicas poll it.
    config_version  BIGINT           NOT NULL,
    created_at      BIGINT           NOT NULL
);

-- One row a live replica; a limit is shared among those seen lately.
CREATE TABLE replicas (
    id              TEXT COLLATE "C" PRIMARY KEY,
    seen_at         BIGINT           NOT NULL
);

CREATE TABLE modules (
    id              TEXT COLLATE "C" PRIMARY KEY,
    slug            TEXT COLLATE "C" NOT NULL UNIQUE,
    shape           BIGINT           NOT NULL,
    definition      TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL
);

CREATE TABLE sources (
    id              TEXT COLLATE "C" PRIMARY KEY,
    module_id       TEXT COLLATE "C" NOT NULL REFERENCES modules (id),
    slug            TEXT COLLATE "C" NOT NULL,
    settings        TEXT COLLATE "C" NOT NULL,
    mapping_version BIGINT           NOT NULL,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL,
    UNIQUE (module_id, slug)
);

-- A token is kept as its SHA-256 only.
CREATE TABLE tokens (
    digest          TEXT COLLATE "C" PRIMARY KEY,
    source_id       TEXT COLLATE "C" NOT NULL REFERENCES sources (id),
    created_at      BIGINT           NOT NULL
);

-- Sealed with the gateway's seal key.
CREATE TABLE secrets (
    source_id       TEXT COLLATE "C" NOT NULL REFERENCES sources (id),
    place           BIGINT           NOT NULL,
    sealed          BYTEA            NOT NULL,
    created_at      BIGINT           NOT NULL,
    PRIMARY KEY (source_id, place)
);

-- Versions are never edited in place.
CREATE TABLE mappings (
    source_id       TEXT COLLATE "C" NOT NULL REFERENCES sources (id),
    version         BIGINT           NOT NULL,
    document        TEXT COLLATE "C" NOT NULL,
    author          TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT           NOT NULL,
    PRIMARY KEY (source_id, version)
);

-- The event ids a source has had applied, by SHA-256.
CREATE TABLE dedupe (
    source_id       TEXT COLLATE "C" NOT NULL,
    key             TEXT COLLATE "C" NOT NULL,
    event_id        TEXT COLLATE "C" NOT NULL,
    expires_at      BIGINT           NOT NULL,
    PRIMARY KEY (source_id, key)
);
CREATE INDEX dedupe_expiry ON dedupe (expires_at);

CREATE TABLE events (
    id              TEXT COLLATE "C" PRIMARY KEY,
    received_at     BIGINT           NOT NULL,
    module_id       TEXT COLLATE "C" NOT NULL,
    source_id       TEXT COLLATE "C" NOT NULL,
    request_id      TEXT COLLATE "C" NOT NULL,
    -- What the answer called it, or `refused`.
    verdict         TEXT COLLATE "C" NOT NULL,
    -- Why: the problem's code for a refusal, the deciding rule for an ignored event.
    cause           TEXT COLLATE "C",
    state           TEXT COLLATE "C" NOT NULL,
    event_type      TEXT COLLATE "C",
    mapping_version BIGINT,
    record_ids      TEXT COLLATE "C" NOT NULL,
    errors          TEXT COLLATE "C",
    duplicate_of    TEXT COLLATE "C",
    replay_of       TEXT COLLATE "C",
    address         TEXT COLLATE "C",
    headers         TEXT COLLATE "C" NOT NULL,
    body            BYTEA            NOT NULL,
    body_size       BIGINT           NOT NULL,
    duration_us     BIGINT           NOT NULL
) PARTITION BY RANGE (id);
-- Day partitions are made ahead of time by the gateway; this one catches what no day covers.
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE INDEX events_source ON events (source_id, id);

-- The log: one row a committed mutation of one record, numbered in commit order.
CREATE TABLE changes (
    seq             BIGINT           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL,
    at              BIGINT           NOT NULL,
    module_id       TEXT COLLATE "C" NOT NULL,
    record_id       TEXT COLLATE "C" NOT NULL,
    op              TEXT COLLATE "C" NOT NULL,
    version         BIGINT           NOT NULL,
    shape           BIGINT           NOT NULL,
    before          TEXT COLLATE "C",
    after           TEXT COLLATE "C",
    event_id        TEXT COLLATE "C",
    actor           TEXT COLLATE "C" NOT NULL,
    hops            BIGINT           NOT NULL
);
CREATE INDEX changes_record ON changes (record_id, seq);

CREATE TABLE api_keys (
    id              TEXT COLLATE "C" PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL,
    role            TEXT COLLATE "C" NOT NULL,
    digest          TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at      BIGINT           NOT NULL
);

CREATE TABLE audit (
    seq             BIGINT           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              BIGINT           NOT NULL,
    actor           TEXT COLLATE "C" NOT NULL,
    action          TEXT COLLATE "C" NOT NULL,
    target          TEXT COLLATE "C" NOT NULL,
    detail          TEXT COLLATE "C" NOT NULL,
    address         TEXT COLLATE "C"
);
