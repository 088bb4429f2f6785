-- Moves with every change of a source: its settings, tokens, secrets or mapping.
ALTER TABLE sources ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- What a module file said last of its secrets, as marks that only the seal key makes: a JSON list.
ALTER TABLE sources ADD COLUMN applied_secrets TEXT;

-- From then on they open nothing; null: for as long as nobody replaces them.
ALTER TABLE tokens ADD COLUMN expires_at INTEGER;
ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
ALTER TABLE secrets ADD COLUMN expires_at INTEGER;

-- What is stored of an event's payload: all, its beginning, all but what is redacted, or nothing.
ALTER TABLE events ADD COLUMN payload TEXT NOT NULL DEFAULT 'whole' CHECK (payload IN ('whole', 'cut', 'redacted', 'none'));
UPDATE events SET payload = 'cut' WHERE verdict = 'refused' AND body_size > 65536;

-- How often a source answered what, by day (UTC): outcomes and codes of problems.
CREATE TABLE source_counts (
    source_id TEXT    NOT NULL,
    day       INTEGER NOT NULL,
    cause     TEXT    NOT NULL,
    count     INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (source_id, day, cause)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_counts_day ON source_counts (day);
