-- What a deleted record leaves behind: the table of migrations/sqlite, for PostgreSQL.
CREATE TABLE tombstones (
    digest          TEXT COLLATE "C" PRIMARY KEY,
    module_id       TEXT COLLATE "C" NOT NULL,
    record_id       TEXT COLLATE "C" NOT NULL,
    guard           TEXT COLLATE "C" NOT NULL,
    expires_at      BIGINT           NOT NULL
);
CREATE INDEX tombstones_expiry ON tombstones (expires_at);

-- The parameters of the URL, where the mapping looked at them.
ALTER TABLE events ADD COLUMN query TEXT COLLATE "C";
