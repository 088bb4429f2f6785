-- How many bytes of an event's payload are kept, for the index: sums are made of that alone.
ALTER TABLE events ADD COLUMN kept_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE events SET kept_bytes = octet_length(body);
-- When its payload and headers went, before the event itself.
ALTER TABLE events ADD COLUMN stripped_at BIGINT;
DROP INDEX events_source;
CREATE INDEX events_source ON events (source_id, id, kept_bytes);

-- How far a source's events were gone over, by id; those of all sources under the name of none.
CREATE TABLE event_marks (
    source_id       TEXT COLLATE "C" PRIMARY KEY,
    -- The payloads up to this one are gone.
    gone_to         TEXT COLLATE "C" NOT NULL,
    -- The bytes up to this one are in the sums.
    counted_to      TEXT COLLATE "C" NOT NULL
);

-- Bytes of kept payloads, of sources that have a bound for them.
CREATE TABLE event_days (
    source_id       TEXT COLLATE "C" NOT NULL,
    -- Since 1970, in UTC.
    day             BIGINT           NOT NULL,
    bytes           BIGINT           NOT NULL,
    PRIMARY KEY (source_id, day)
);
