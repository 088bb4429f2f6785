-- What a deleted record leaves behind: who it was, and how far each source had come. One row for each set of fields by
-- which it was found; `digest` is the SHA-256 of module, fields and values.
CREATE TABLE tombstones (
    digest     TEXT    PRIMARY KEY,
    module_id  TEXT    NOT NULL,
    record_id  TEXT    NOT NULL,
    guard      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_expiry ON tombstones (expires_at);

-- The parameters of the URL, where the mapping looked at them.
ALTER TABLE events ADD COLUMN query TEXT;
