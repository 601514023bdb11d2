-- +goose Up
-- People who signed up. What is about them is sealed under their subject key; the way from an
-- e-mail address to an account is not here but in the sign-in directory of keys.db.
CREATE TABLE account_account (
    tenant_id  BLOB NOT NULL,
    id         BLOB PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('open', 'closing')),
    name       BLOB NOT NULL, -- sealed
    email      BLOB NOT NULL, -- sealed
    settings   BLOB NOT NULL, -- sealed: theme, time zone
    language   TEXT NOT NULL, -- of what the person is told before a permit is there
    verifier   BLOB NOT NULL, -- sealed: argon2id with its parameters
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX account_account_tenant ON account_account (tenant_id, created_ms);

-- Signed-in browsers. The token itself is nowhere; moments in clear are rounded to days.
CREATE TABLE account_session (
    tenant_id  BLOB NOT NULL,
    id         BLOB PRIMARY KEY,
    account_id BLOB NOT NULL,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    about      BLOB NOT NULL, -- sealed: kind of client, moment of sign-in
    until_day  INTEGER NOT NULL, -- ends unless used before: moves along
    last_day   INTEGER NOT NULL  -- ends in any case
) STRICT;
CREATE INDEX account_session_account ON account_session (tenant_id, account_id);
