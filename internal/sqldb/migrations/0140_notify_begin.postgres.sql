-- +goose Up
-- Whom to tell of what. One row a person, camera and kind of happening; what was chosen is sealed.
CREATE TABLE notify_rule (
    tenant_id  bytea NOT NULL,
    account_id bytea NOT NULL, -- who is told
    binding_id bytea NOT NULL,
    kind       text NOT NULL,
    row_id     bytea NOT NULL,
    choice     bytea NOT NULL, -- sealed: channels, hours, pictures
    stop_hash  bytea NOT NULL, -- SHA-256 of what ends this rule's mails without signing in
    mail_off   bigint NOT NULL, -- it was used
    PRIMARY KEY (tenant_id, account_id, binding_id, kind)
);
CREATE INDEX notify_rule_camera ON notify_rule (tenant_id, binding_id, kind);
CREATE UNIQUE INDEX notify_rule_stop ON notify_rule (tenant_id, stop_hash);

-- Quiet for a while, for one camera or (sixteen zero bytes) for all.
CREATE TABLE notify_pause (
    tenant_id  bytea NOT NULL,
    account_id bytea NOT NULL,
    binding_id bytea NOT NULL,
    row_id     bytea NOT NULL,
    span       bytea NOT NULL, -- sealed: since when, how much is left
    PRIMARY KEY (tenant_id, account_id, binding_id)
);

-- Browsers that take messages while the app is closed.
CREATE TABLE notify_device (
    tenant_id     bytea NOT NULL,
    id            bytea NOT NULL,
    account_id    bytea NOT NULL,
    session_id    bytea NOT NULL, -- signing out ends it
    endpoint_hash bytea NOT NULL, -- a browser belongs to one account
    state         text NOT NULL CHECK (state IN ('live', 'gone')),
    subscription  bytea NOT NULL, -- sealed: address and keys
    about         bytea NOT NULL, -- sealed: kind of browser, since when
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX notify_device_endpoint ON notify_device (tenant_id, endpoint_hash);
CREATE INDEX notify_device_account ON notify_device (tenant_id, account_id);

-- What is still to be handed over: at most one message a browser (or mailbox) and camera, which a
-- newer one replaces.
CREATE TABLE notify_outbox (
    tenant_id  bytea NOT NULL,
    account_id bytea NOT NULL,
    binding_id bytea NOT NULL,
    kind       text NOT NULL,
    channel    text NOT NULL,
    device_id  bytea NOT NULL, -- sixteen zero bytes: none
    row_id     bytea NOT NULL,
    message    bytea NOT NULL, -- sealed
    tries      bigint NOT NULL,
    due_ms     bigint NOT NULL,
    PRIMARY KEY (tenant_id, account_id, binding_id, kind, channel, device_id)
);
CREATE INDEX notify_outbox_due ON notify_outbox (due_ms);

-- What was sent, by which channel, with which result.
CREATE TABLE notify_log (
    tenant_id  bytea NOT NULL,
    account_id bytea NOT NULL,
    n          bigint NOT NULL,
    row_id     bytea NOT NULL,
    binding_id bytea NOT NULL,
    day        bigint NOT NULL,
    entry      bytea NOT NULL, -- sealed
    PRIMARY KEY (tenant_id, account_id, n)
);
CREATE INDEX notify_log_day ON notify_log (day);

-- Each fetches one picture once; only its hash is kept.
CREATE TABLE notify_ticket (
    tenant_id  bytea NOT NULL,
    hash       bytea NOT NULL,
    account_id bytea NOT NULL, -- who may use it
    binding_id bytea NOT NULL,
    event_id   bytea NOT NULL,
    used       bigint NOT NULL,
    ends_ms    bigint NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);

-- Cameras whose owner was told that nothing is recorded, and not yet that it is again.
CREATE TABLE notify_gap (
    tenant_id  bytea NOT NULL,
    account_id bytea NOT NULL,
    binding_id bytea NOT NULL,
    PRIMARY KEY (tenant_id, binding_id)
);
