-- +goose Up
-- What an owner shares, with a member or with whoever holds a link. A row is about the owner: what
-- it says of others is sealed under the owner's keys. An invite is a share nobody has accepted yet.
CREATE TABLE share_share (
    tenant_id  bytea NOT NULL,
    id         bytea PRIMARY KEY,
    account_id bytea NOT NULL, -- the owner
    kind       text NOT NULL CHECK (kind IN ('member', 'link')),
    state      text NOT NULL CHECK (state IN ('invited', 'open', 'ended')),
    site_id    bytea, -- all cameras of the place, also later ones; or
    binding_id bytea, -- one camera
    abilities  text NOT NULL, -- separated by commas
    terms      bytea NOT NULL, -- sealed: hours, stretch of footage
    about      bytea NOT NULL, -- sealed: whom it is for, and what they are told
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    addressed  bytea, -- HMAC of the invited e-mail address under the token, which is nowhere
    accept_ms  bigint NOT NULL, -- an invite can be accepted until then; 0: it was
    until_ms   bigint NOT NULL, -- 0: until it is revoked
    created_ms bigint NOT NULL,
    ended_ms   bigint NOT NULL, -- 0: not ended
    CHECK ((site_id IS NULL) <> (binding_id IS NULL))
);
CREATE INDEX share_share_account ON share_share (tenant_id, account_id, created_ms);

-- What a member has: the row is about the member, and sealed under the member's key.
CREATE TABLE share_member (
    tenant_id   bytea NOT NULL,
    share_id    bytea PRIMARY KEY,
    account_id  bytea NOT NULL, -- the member
    owner_id    bytea NOT NULL,
    told        bytea NOT NULL, -- sealed: the name of the place, and of who shares it, as told then
    accepted_ms bigint NOT NULL
);
CREATE INDEX share_member_account ON share_member (tenant_id, account_id);

-- Browsers that opened a link. Their tokens themselves are nowhere.
CREATE TABLE share_visit (
    tenant_id  bytea NOT NULL,
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    share_id   bytea NOT NULL
);
CREATE INDEX share_visit_share ON share_visit (tenant_id, share_id);
