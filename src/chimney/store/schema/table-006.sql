-- Findings that were told, from firing to resolved; silences of findings by their id, whether they are current or not.
CREATE TABLE finding (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    origin TEXT,
    since REAL NOT NULL,
    resolved_at REAL,
    data BLOB NOT NULL
);
CREATE INDEX finding_open ON finding (id) WHERE resolved_at IS NULL;
CREATE TABLE silence (
    finding TEXT PRIMARY KEY,
    until REAL NOT NULL,
    data BLOB NOT NULL
);
