-- What GitHub was told of each deployment; `holder` tells it now, until `until`, so that two slots do not both.
CREATE TABLE github_deployment (
    deployment TEXT PRIMARY KEY,
    told BLOB NOT NULL,
    holder TEXT,
    until REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
