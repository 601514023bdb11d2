-- +goose Up
-- A letter to somebody with an account that could not be sent yet, sealed under that person's key.
CREATE TABLE mail_letter (
    tenant_id  bytea NOT NULL CHECK (length(tenant_id) = 16),
    id         bytea NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id bytea NOT NULL CHECK (length(account_id) = 16),
    letter     bytea NOT NULL,
    until_ms   bigint NOT NULL
);
CREATE INDEX mail_letter_account ON mail_letter (tenant_id, account_id);
