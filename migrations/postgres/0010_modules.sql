-- Moves with every change of a module.
ALTER TABLE modules ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- What modules were before they were altered or deleted: changes of that time are read by it. A row goes with the last
-- change of its time.
CREATE TABLE shapes (
    module_id  TEXT COLLATE "C" NOT NULL,
    number     BIGINT           NOT NULL,
    slug       TEXT COLLATE "C" NOT NULL,
    definition TEXT COLLATE "C" NOT NULL,
    -- Changes of this shape have at most this number.
    last_seq   BIGINT           NOT NULL,
    PRIMARY KEY (module_id, number)
);

-- Columns of fields that were dropped, under names that no field has, until there is time to remove them.
CREATE TABLE dropped_columns (
    module_id  TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    dropped_at BIGINT           NOT NULL,
    PRIMARY KEY (module_id, name)
);
