-- How many bytes of an event's payload are kept, for the index: sums are made of that alone.
ALTER TABLE events ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE events SET kept_bytes = length(body);
-- When its payload and headers went, before the event itself.
ALTER TABLE events ADD COLUMN stripped_at INTEGER;
DROP INDEX events_source;
CREATE INDEX events_source ON events (source_id, id, kept_bytes);

-- How far a source's events were gone over, by id; those of all sources under the name of none.
CREATE TABLE event_marks (
    source_id  TEXT    PRIMARY KEY,
    -- The payloads up to this one are gone.
    gone_to    TEXT    NOT NULL,
    -- The bytes up to this one are in the sums.
    counted_to TEXT    NOT NULL
) STRICT;

-- Bytes of kept payloads, of sources that have a bound for them.
CREATE TABLE event_days (
    source_id  TEXT    NOT NULL,
    -- Since 1970, in UTC.
    day        INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (source_id, day)
) STRICT, WITHOUT ROWID;
