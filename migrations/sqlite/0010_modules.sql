-- Moves with every change of a module.
ALTER TABLE modules ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- What modules were before they were altered or deleted: changes of that time are read by it. A row goes with the last
-- change of its time.
CREATE TABLE shapes (
    module_id  TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    slug       TEXT    NOT NULL,
    definition TEXT    NOT NULL,
    -- Changes of this shape have at most this number.
    last_seq   INTEGER NOT NULL,
    PRIMARY KEY (module_id, number)
) STRICT;

-- Columns of fields that were dropped, under names that no field has, until there is time to remove them.
CREATE TABLE dropped_columns (
    module_id  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    dropped_at INTEGER NOT NULL,
    PRIMARY KEY (module_id, name)
) STRICT;
