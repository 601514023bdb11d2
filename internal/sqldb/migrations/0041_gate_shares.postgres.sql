-- +goose Up
-- What was revoked may be one share, or whatever an account uses of others. NULL: whichever.
ALTER TABLE gate_revocation ADD COLUMN actor_id bytea;
ALTER TABLE gate_revocation ADD COLUMN share_id bytea;
