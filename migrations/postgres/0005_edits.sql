-- What other SQL clients do to the tables of modules, written by triggers in the client's own transaction, until it is
-- numbered and stands in `changes`. Rows before and after are JSON, with the columns as they stood. Small and busy.
CREATE TABLE edits (
    -- The order of writing; edits of one record are held in it by the row's lock.
    number          BIGINT           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              BIGINT           NOT NULL,
    module_id       TEXT COLLATE "C" NOT NULL,
    record_id       TEXT COLLATE "C" NOT NULL,
    op              TEXT COLLATE "C" NOT NULL,
    version         BIGINT           NOT NULL,
    shape           BIGINT           NOT NULL,
    before          TEXT COLLATE "C",
    after           TEXT COLLATE "C"
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX edits_record ON edits (record_id);

-- Which triggers stand on the module's table; 0: none yet.
ALTER TABLE modules ADD COLUMN triggers BIGINT NOT NULL DEFAULT 0;

-- The id of a record that another client inserts: a UUIDv7 in Crockford base32. The 48 bits of its milliseconds fill ten
-- characters; of the others, hexadecimal digits are random enough.
CREATE FUNCTION tidegate_record_id() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT 'rec_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + ((n.millis >> (45 - 5 * place)) & 31)::int, 1), '' ORDER BY place)
        || 'e' || substr(min(n.random), 19, 2) || '8' || substr(min(n.random), 1, 12)
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS millis, replace(gen_random_uuid()::text, '-', '') AS random) AS n
    CROSS JOIN generate_series(0, 9) AS place
$$;
