-- +goose Up
-- Whom to tell of what. One row a person, camera and kind of happening; what was chosen is sealed.
CREATE TABLE notify_rule (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL, -- who is told
    binding_id BLOB NOT NULL,
    kind       TEXT NOT NULL,
    row_id     BLOB NOT NULL,
    choice     BLOB NOT NULL, -- sealed: channels, hours, pictures
    stop_hash  BLOB NOT NULL, -- SHA-256 of what ends this rule's mails without signing in
    mail_off   INTEGER NOT NULL, -- it was used
    PRIMARY KEY (tenant_id, account_id, binding_id, kind)
) STRICT;
CREATE INDEX notify_rule_camera ON notify_rule (tenant_id, binding_id, kind);
CREATE UNIQUE INDEX notify_rule_stop ON notify_rule (tenant_id, stop_hash);

-- Quiet for a while, for one camera or (sixteen zero bytes) for all.
CREATE TABLE notify_pause (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL,
    binding_id BLOB NOT NULL,
    row_id     BLOB NOT NULL,
    span       BLOB NOT NULL, -- sealed: since when, how much is left
    PRIMARY KEY (tenant_id, account_id, binding_id)
) STRICT;

-- Browsers that take messages while the app is closed.
CREATE TABLE notify_device (
    tenant_id     BLOB NOT NULL,
    id            BLOB NOT NULL,
    account_id    BLOB NOT NULL,
    session_id    BLOB NOT NULL, -- signing out ends it
    endpoint_hash BLOB NOT NULL, -- a browser belongs to one account
    state         TEXT NOT NULL CHECK (state IN ('live', 'gone')),
    subscription  BLOB NOT NULL, -- sealed: address and keys
    about         BLOB NOT NULL, -- sealed: kind of browser, since when
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX notify_device_endpoint ON notify_device (tenant_id, endpoint_hash);
CREATE INDEX notify_device_account ON notify_device (tenant_id, account_id);

-- What is still to be handed over: at most one message a browser (or mailbox) and camera, which a
-- newer one replaces.
CREATE TABLE notify_outbox (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL,
    binding_id BLOB NOT NULL,
    kind       TEXT NOT NULL,
    channel    TEXT NOT NULL,
    device_id  BLOB NOT NULL, -- sixteen zero bytes: none
    row_id     BLOB NOT NULL,
    message    BLOB NOT NULL, -- sealed
    tries      INTEGER NOT NULL,
    due_ms     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id, binding_id, kind, channel, device_id)
) STRICT;
CREATE INDEX notify_outbox_due ON notify_outbox (due_ms);

-- What was sent, by which channel, with which result.
CREATE TABLE notify_log (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL,
    n          INTEGER NOT NULL,
    row_id     BLOB NOT NULL,
    binding_id BLOB NOT NULL,
    day        INTEGER NOT NULL,
    entry      BLOB NOT NULL, -- sealed
    PRIMARY KEY (tenant_id, account_id, n)
) STRICT;
CREATE INDEX notify_log_day ON notify_log (day);

-- Each fetches one picture once; only its hash is kept.
CREATE TABLE notify_ticket (
    tenant_id  BLOB NOT NULL,
    hash       BLOB NOT NULL,
    account_id BLOB NOT NULL, -- who may use it
    binding_id BLOB NOT NULL,
    event_id   BLOB NOT NULL,
    used       INTEGER NOT NULL,
    ends_ms    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hash)
) STRICT;

-- Cameras whose owner was told that nothing is recorded, and not yet that it is again.
CREATE TABLE notify_gap (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL,
    binding_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, binding_id)
) STRICT;
