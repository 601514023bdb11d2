-- +goose Up
-- One row says which installation this database belongs to, so that a data folder and a
-- database of two installations cannot be mixed.
CREATE TABLE sqldb_installation (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    created_ms INTEGER NOT NULL
) STRICT;
