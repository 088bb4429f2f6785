-- What other SQL clients do to the tables of modules, written by triggers in the client's own transaction, until it is
-- numbered and stands in `changes`. Rows before and after are JSON, with the columns as they stood.
CREATE TABLE edits (
    -- The order of writing; edits of one record are held in it by the row's lock.
    number    INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    module_id TEXT    NOT NULL,
    record_id TEXT    NOT NULL,
    op        TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    shape     INTEGER NOT NULL,
    before    TEXT,
    after     TEXT
) STRICT;
CREATE INDEX edits_record ON edits (record_id);

-- Which triggers stand on the module's table; 0: none yet.
ALTER TABLE modules ADD COLUMN triggers INTEGER NOT NULL DEFAULT 0;
