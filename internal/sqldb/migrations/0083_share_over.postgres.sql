-- +goose Up
-- Tokens of links that were deleted, so that who comes with one is told that it is over: hashes of
-- random numbers, about nobody.
CREATE TABLE share_over (
    tenant_id  bytea NOT NULL,
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    until_ms   bigint NOT NULL
);
