-- Where the log of changes begins: all changes up to this number are gone, and an empty log still knows it.
CREATE TABLE log_start (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO log_start (one, seq) VALUES (1, 0);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
