-- Moves with every change of a source: its settings, tokens, secrets or mapping. The tables of migrations/sqlite, for
-- PostgreSQL.
ALTER TABLE sources ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- What a module file said last of its secrets, as marks that only the seal key makes: a JSON list.
ALTER TABLE sources ADD COLUMN applied_secrets TEXT COLLATE "C";

-- From then on they open nothing; null: for as long as nobody replaces them.
ALTER TABLE tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;
ALTER TABLE secrets ADD COLUMN expires_at BIGINT;

-- What is stored of an event's payload: all, its beginning, all but what is redacted, or nothing.
ALTER TABLE events ADD COLUMN payload TEXT COLLATE "C" NOT NULL DEFAULT 'whole' CHECK (payload IN ('whole', 'cut', 'redacted', 'none'));
UPDATE events SET payload = 'cut' WHERE verdict = 'refused' AND body_size > 65536;

-- How often a source answered what, by day (UTC): outcomes and codes of problems.
CREATE TABLE source_counts (
    source_id       TEXT COLLATE "C" NOT NULL,
    day             BIGINT           NOT NULL,
    cause           TEXT COLLATE "C" NOT NULL,
    count           BIGINT           NOT NULL,
    last_at         BIGINT           NOT NULL,
    PRIMARY KEY (source_id, day, cause)
);
CREATE INDEX source_counts_day ON source_counts (day);
