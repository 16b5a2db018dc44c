-- Health of other addresses: the last results of each, and its minutes of the last week.
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
