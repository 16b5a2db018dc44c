-- The catalogue: sealed segments, and what is known of each without opening it. `sources` is NULL when there are many.
CREATE TABLE segment (
    file TEXT PRIMARY KEY,
    signal TEXT NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    ids_checksum INTEGER,
    sources TEXT,
    held TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX batch_ids ON batch (signal, last_id);
