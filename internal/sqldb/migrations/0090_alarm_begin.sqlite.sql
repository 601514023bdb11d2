-- +goose Up
-- One row per event. In clear: random ids (they do not tell the moment), the UTC day, a state, sizes,
-- and since when the camera was being looked at without a break. When something moved is sealed.
CREATE TABLE alarm_event (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16), -- the camera's owner
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    day         INTEGER NOT NULL, -- of its start, since 1970, UTC
    state       INTEGER NOT NULL, -- 0 going on, 1 over, 2 cut off
    watch_ms    INTEGER NOT NULL, -- when the watch began that noticed it
    details     BLOB    NOT NULL,
    object      BLOB    CHECK (length(object) = 16), -- random name of its picture
    bytes       INTEGER NOT NULL,
    key_id      BLOB    CHECK (length(key_id) = 16),
    wrapped     BLOB,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alarm_event_by_day ON alarm_event (tenant_id, subject_id, day, binding_id);
CREATE INDEX alarm_event_by_camera ON alarm_event (tenant_id, binding_id, day);
CREATE INDEX alarm_event_open ON alarm_event (tenant_id, id) WHERE state = 0;

-- Who has seen which event: a row is a yes.
CREATE TABLE alarm_seen (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    account_id  BLOB    NOT NULL CHECK (length(account_id) = 16),
    event_id    BLOB    NOT NULL CHECK (length(event_id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16), -- the camera's owner
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    day         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alarm_seen_by_day ON alarm_seen (tenant_id, account_id, day, binding_id);
CREATE INDEX alarm_seen_by_camera ON alarm_seen (tenant_id, binding_id, day);

-- What an owner set for looking at a camera. A camera without a row has what is usual.
CREATE TABLE alarm_camera (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16),
    watched     INTEGER NOT NULL, -- the switch
    details     BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, binding_id)
) STRICT, WITHOUT ROWID;
