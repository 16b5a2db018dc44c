-- Rows of every signal, many in one frame; `log` of the first version is moved into it when the file is opened.
-- `held` says which ids of which source, in which epoch. Ids of a signal grow for ever: `next_id` outlives the rows.
CREATE TABLE batch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    signal TEXT NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    size INTEGER NOT NULL,
    held TEXT NOT NULL,
    frame BLOB NOT NULL
);
CREATE TABLE signal (
    name TEXT PRIMARY KEY,
    next_id INTEGER NOT NULL
) WITHOUT ROWID;
-- What of a source is held, as ranges of its own ids in its present epoch.
ALTER TABLE source ADD COLUMN held TEXT NOT NULL DEFAULT '[]';
-- Batches that a sender may repeat, known by their key for an hour.
CREATE TABLE taken (
    key BLOB PRIMARY KEY,
    at REAL NOT NULL
) WITHOUT ROWID;
-- Names that came from outside, counted so that they stay few.
CREATE TABLE service (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE metric (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    labels TEXT NOT NULL
) WITHOUT ROWID;
