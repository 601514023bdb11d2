-- +goose Up
-- Places with a time zone. Sealed under the subject key of their owner.
CREATE TABLE device_site (
    tenant_id  BLOB NOT NULL,
    id         BLOB PRIMARY KEY,
    account_id BLOB NOT NULL,
    name       BLOB NOT NULL, -- sealed
    time_zone  BLOB NOT NULL, -- sealed: it tells where somebody lives
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX device_site_account ON device_site (tenant_id, account_id, created_ms);

-- A camera is the tie of a device to its one owner. Sealed under the key of that binding.
CREATE TABLE device_camera (
    tenant_id       BLOB NOT NULL,
    id              BLOB PRIMARY KEY, -- the binding
    device_id       BLOB NOT NULL,
    account_id      BLOB NOT NULL,
    site_id         BLOB NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('bound', 'leaving')),
    name            BLOB NOT NULL, -- sealed
    address         BLOB NOT NULL, -- sealed: main and sub address, without credentials
    credentials     BLOB NOT NULL, -- sealed
    demo            INTEGER NOT NULL CHECK (demo IN (0, 1)),
    recording       TEXT NOT NULL CHECK (recording IN ('on', 'paused')),
    retention_days  INTEGER NOT NULL,
    retention_bytes INTEGER NOT NULL, -- 0: no limit
    created_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX device_camera_account ON device_camera (tenant_id, account_id, created_ms);
CREATE UNIQUE INDEX device_camera_owner ON device_camera (tenant_id, device_id) WHERE state = 'bound';
