-- Health of other addresses: the last results of each, its minutes of the last week, and which process probes.
CREATE TABLE result (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    result BLOB NOT NULL
);
CREATE INDEX result_origin ON result (origin, seq);
CREATE TABLE minute (
    origin TEXT NOT NULL,
    minute INTEGER NOT NULL,
    good INTEGER NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (origin, minute)
) WITHOUT ROWID;
CREATE TABLE turn (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    holder TEXT NOT NULL,
    until REAL NOT NULL
);
