-- +goose Up
-- The second step of a sign-in, sealed: the key of an authenticator app, the newest code that was used, and
-- the hashes of recovery codes. Without one there is no second step. When it was turned on is known to the day.
ALTER TABLE account_account ADD COLUMN second BLOB;
ALTER TABLE account_account ADD COLUMN second_day INTEGER;
