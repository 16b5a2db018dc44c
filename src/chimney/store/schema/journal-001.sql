-- Log records as they came, each once. `epoch` counts how often a source began its ids anew.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL DEFAULT 1,
    last_id INTEGER NOT NULL DEFAULT 0,
    boots TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ts_ms INTEGER NOT NULL,
    level INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES source (id),
    epoch INTEGER NOT NULL,
    origin_id INTEGER,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    logger TEXT NOT NULL,
    request_id TEXT,
    trace_id TEXT,
    fields TEXT NOT NULL
);
CREATE UNIQUE INDEX log_once ON log (source, epoch, origin_id) WHERE origin_id IS NOT NULL;
CREATE INDEX log_time ON log (ts_ms, level);
