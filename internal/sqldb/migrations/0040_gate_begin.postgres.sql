-- +goose Up
-- Rights that were revoked, numbered in the order of their commits (the counter's row is locked
-- until the transaction ends). A node that missed a message reads on from the number it knows.
-- Rows older than a day are dropped: by then every node has read them or has ended its leases.
CREATE TABLE gate_counter (
    one   bigint PRIMARY KEY CHECK (one = 1),
    value bigint NOT NULL
);
INSERT INTO gate_counter (one, value) VALUES (1, 0);

CREATE TABLE gate_revocation (
    tenant_id  bytea NOT NULL,
    seq        bigint PRIMARY KEY,
    subject_id bytea, -- NULL in this and the next columns: whichever
    binding_id bytea,
    purpose    text NOT NULL,
    session_id bytea,
    at_ms      bigint NOT NULL
);
