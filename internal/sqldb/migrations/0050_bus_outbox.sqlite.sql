-- +goose Up
-- What must reach the bus after a commit. The counter's row is locked by Add until its
-- transaction ends, so numbers are given in the order of the commits.
CREATE TABLE bus_counter (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO bus_counter (one, value) VALUES (1, 0);

CREATE TABLE bus_outbox (
    tenant_id BLOB, -- NULL: the whole installation
    seq       INTEGER PRIMARY KEY,
    id        BLOB NOT NULL,
    type      TEXT NOT NULL,
    resource  BLOB,
    time_ms   INTEGER NOT NULL,
    sent_ms   INTEGER
) STRICT;
CREATE INDEX bus_outbox_unsent ON bus_outbox (seq) WHERE sent_ms IS NULL;
