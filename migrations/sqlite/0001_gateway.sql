-- What the gateway itself keeps. Times are microseconds since 1970 in UTC; ids are prefixed text that sorts by time.

CREATE TABLE gateway (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    workspace_id   TEXT    NOT NULL,
    seal_key_id    TEXT    NOT NULL,
    -- Moves with every change of configuration; replicas poll it.
    config_version INTEGER NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;

-- One row a live replica; a limit is shared among those seen lately.
CREATE TABLE replicas (
    id      TEXT    PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE modules (
    id         TEXT    PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    shape      INTEGER NOT NULL,
    definition TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sources (
    id              TEXT    PRIMARY KEY,
    module_id       TEXT    NOT NULL REFERENCES modules (id),
    slug            TEXT    NOT NULL,
    settings        TEXT    NOT NULL,
    mapping_version INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (module_id, slug)
) STRICT;

-- A token is kept as its SHA-256 only.
CREATE TABLE tokens (
    digest     TEXT    PRIMARY KEY,
    source_id  TEXT    NOT NULL REFERENCES sources (id),
    created_at INTEGER NOT NULL
) STRICT;

-- Sealed with the gateway's seal key.
CREATE TABLE secrets (
    source_id  TEXT    NOT NULL REFERENCES sources (id),
    place      INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (source_id, place)
) STRICT;

-- Versions are never edited in place.
CREATE TABLE mappings (
    source_id  TEXT    NOT NULL REFERENCES sources (id),
    version    INTEGER NOT NULL,
    document   TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (source_id, version)
) STRICT;

-- The event ids a source has had applied, by SHA-256.
CREATE TABLE dedupe (
    source_id  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (source_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedupe_expiry ON dedupe (expires_at);

CREATE TABLE events (
    id              TEXT    PRIMARY KEY,
    received_at     INTEGER NOT NULL,
    module_id       TEXT    NOT NULL,
    source_id       TEXT    NOT NULL,
    request_id      TEXT    NOT NULL,
    -- What the answer called it, or `refused`.
    verdict         TEXT    NOT NULL,
    -- Why: the problem's code for a refusal, the deciding rule for an ignored event.
    cause           TEXT,
    state           TEXT    NOT NULL,
    event_type      TEXT,
    mapping_version INTEGER,
    record_ids      TEXT    NOT NULL,
    errors          TEXT,
    duplicate_of    TEXT,
    replay_of       TEXT,
    address         TEXT,
    headers         TEXT    NOT NULL,
    body            BLOB    NOT NULL,
    body_size       INTEGER NOT NULL,
    duration_us     INTEGER NOT NULL
) STRICT;
CREATE INDEX events_source ON events (source_id, id);

-- The log: one row a committed mutation of one record, numbered in commit order.
CREATE TABLE changes (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    module_id TEXT    NOT NULL,
    record_id TEXT    NOT NULL,
    op        TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    shape     INTEGER NOT NULL,
    before    TEXT,
    after     TEXT,
    event_id  TEXT,
    actor     TEXT    NOT NULL,
    hops      INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_record ON changes (record_id, seq);

CREATE TABLE api_keys (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    digest     TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    address TEXT
) STRICT;
