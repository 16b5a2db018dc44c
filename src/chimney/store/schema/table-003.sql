-- Errors by fingerprint, and the last log record that was counted among them; deployments of every origin, as it told them.
CREATE TABLE error_group (
    id TEXT PRIMARY KEY,
    last_seen REAL NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE error_mark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log_id INTEGER NOT NULL
);
CREATE TABLE deployment (
    origin TEXT NOT NULL,
    id TEXT NOT NULL,
    started_at REAL NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (origin, id)
);
CREATE INDEX deployment_time ON deployment (started_at);
