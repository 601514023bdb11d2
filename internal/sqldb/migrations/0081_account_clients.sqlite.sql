-- +goose Up
-- The kinds of browser somebody signed in with, sealed: a new one is worth a notice to its owner.
ALTER TABLE account_account ADD COLUMN clients BLOB;
