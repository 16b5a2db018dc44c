-- What an origin must not forget: every deploy report, as it was accepted.
CREATE TABLE deploy_report (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    received_at REAL NOT NULL,
    report BLOB NOT NULL
);
