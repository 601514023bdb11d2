-- +goose Up
-- People who signed up. What is about them is sealed under their subject key; the way from an
-- e-mail address to an account is not here but in the sign-in directory of keys.db.
CREATE TABLE account_account (
    tenant_id  bytea NOT NULL,
    id         bytea PRIMARY KEY,
    state      text NOT NULL CHECK (state IN ('open', 'closing')),
    name       bytea NOT NULL, -- sealed
    email      bytea NOT NULL, -- sealed
    settings   bytea NOT NULL, -- sealed: theme, time zone
    language   text NOT NULL, -- of what the person is told before a permit is there
    verifier   bytea NOT NULL, -- sealed: argon2id with its parameters
    created_ms bigint NOT NULL
);
CREATE INDEX account_account_tenant ON account_account (tenant_id, created_ms);

-- Signed-in browsers. The token itself is nowhere; moments in clear are rounded to days.
CREATE TABLE account_session (
    tenant_id  bytea NOT NULL,
    id         bytea PRIMARY KEY,
    account_id bytea NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    about      bytea NOT NULL, -- sealed: kind of client, moment of sign-in
    until_day  bigint NOT NULL, -- ends unless used before: moves along
    last_day   bigint NOT NULL  -- ends in any case
);
CREATE INDEX account_session_account ON account_session (tenant_id, account_id);
