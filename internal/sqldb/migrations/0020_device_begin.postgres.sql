-- +goose Up
-- Places with a time zone. Sealed under the subject key of their owner.
CREATE TABLE device_site (
    tenant_id  bytea NOT NULL,
    id         bytea PRIMARY KEY,
    account_id bytea NOT NULL,
    name       bytea NOT NULL, -- sealed
    time_zone  bytea NOT NULL, -- sealed: it tells where somebody lives
    created_ms bigint NOT NULL
);
CREATE INDEX device_site_account ON device_site (tenant_id, account_id, created_ms);

-- A camera is the tie of a device to its one owner. Sealed under the key of that binding.
CREATE TABLE device_camera (
    tenant_id       bytea NOT NULL,
    id              bytea PRIMARY KEY, -- the binding
    device_id       bytea NOT NULL,
    account_id      bytea NOT NULL,
    site_id         bytea NOT NULL,
    state           text NOT NULL CHECK (state IN ('bound', 'leaving')),
    name            bytea NOT NULL, -- sealed
    address         bytea NOT NULL, -- sealed: main and sub address, without credentials
    credentials     bytea NOT NULL, -- sealed
    demo            bigint NOT NULL CHECK (demo IN (0, 1)),
    recording       text NOT NULL CHECK (recording IN ('on', 'paused')),
    retention_days  bigint NOT NULL,
    retention_bytes bigint NOT NULL, -- 0: no limit
    created_ms      bigint NOT NULL
);
CREATE INDEX device_camera_account ON device_camera (tenant_id, account_id, created_ms);
CREATE UNIQUE INDEX device_camera_owner ON device_camera (tenant_id, device_id) WHERE state = 'bound';
