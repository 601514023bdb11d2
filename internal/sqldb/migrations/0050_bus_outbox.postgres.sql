-- +goose Up
-- What must reach the bus after a commit. The counter's row is locked by Add until its
-- transaction ends, so numbers are given in the order of the commits.
CREATE TABLE bus_counter (
    one   bigint PRIMARY KEY CHECK (one = 1),
    value bigint NOT NULL
);
INSERT INTO bus_counter (one, value) VALUES (1, 0);

CREATE TABLE bus_outbox (
    tenant_id bytea, -- NULL: the whole installation
    seq       bigint PRIMARY KEY,
    id        bytea NOT NULL,
    type      text NOT NULL,
    resource  bytea,
    time_ms   bigint NOT NULL,
    sent_ms   bigint
);
CREATE INDEX bus_outbox_unsent ON bus_outbox (seq) WHERE sent_ms IS NULL;
