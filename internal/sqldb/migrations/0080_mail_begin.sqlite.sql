-- +goose Up
-- A letter to somebody with an account that could not be sent yet, sealed under that person's key.
CREATE TABLE mail_letter (
    tenant_id  BLOB NOT NULL CHECK (length(tenant_id) = 16),
    id         BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    letter     BLOB NOT NULL,
    until_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_letter_account ON mail_letter (tenant_id, account_id);
