-- What somebody asked of this origin, and what became of it. Rows are only ever added; `hash` chains them.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    act TEXT NOT NULL,
    record BLOB NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX deploy_report_received ON deploy_report (received_at, seq);
