package seal

// The file's layout. Key material lies in slots, and a slot never moves: slots are only ever
// appended, rewritten in place with the same size, and zeroed in place when a key is destroyed.
// A B-tree that deletes rows moves the others between pages and may leave a stale copy behind in
// a page's unused middle, which secure_delete does not promise to clean; a slot leaves none. The
// same holds for the directory's entries. The other tables hold random ids, days and states.
const (
	schemaVersion = 1
	applicationID = 0x434e4452 // "CNDR"
)

const schema = `
CREATE TABLE state (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    epoch      INTEGER NOT NULL,
    next       INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE slot (
    n       INTEGER PRIMARY KEY,
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 64)
) STRICT;
CREATE TABLE slot_free (n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE key (
    id         BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind       INTEGER NOT NULL,
    tenant     BLOB    NOT NULL,
    subject    BLOB    NOT NULL,
    binding    BLOB    NOT NULL,
    export     BLOB    NOT NULL,
    category   TEXT    NOT NULL,
    class      TEXT    NOT NULL,
    day        INTEGER NOT NULL,
    slot       INTEGER NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    UNIQUE (tenant, subject, binding, export, category, class, day, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE tombstone (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind     INTEGER NOT NULL,
    tenant   BLOB    NOT NULL,
    subject  BLOB    NOT NULL,
    binding  BLOB    NOT NULL,
    export   BLOB    NOT NULL,
    category TEXT    NOT NULL,
    class    TEXT    NOT NULL,
    day      INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    keys     INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_scope ON tombstone (tenant, subject, binding, kind);
CREATE TABLE directory (
    n       INTEGER PRIMARY KEY,
    entry   BLOB NOT NULL CHECK (length(entry) = 64),
    mac     BLOB NOT NULL CHECK (length(mac) = 4),
    account BLOB NOT NULL CHECK (length(account) = 4)
) STRICT;
CREATE INDEX directory_mac ON directory (mac);
CREATE INDEX directory_account ON directory (account);
`
