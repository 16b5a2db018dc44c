-- What each receiver of notifications was told and is owed, and the last messages that were sent or could not be.
CREATE TABLE notify_memory (
    target TEXT PRIMARY KEY,
    data BLOB NOT NULL
);
CREATE TABLE notify_sent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    data BLOB NOT NULL
);
