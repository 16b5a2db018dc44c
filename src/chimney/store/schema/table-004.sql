-- Whether a deployment hurt, as far as it was looked at.
CREATE TABLE verdict (
    origin TEXT NOT NULL,
    deployment TEXT NOT NULL,
    at REAL NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (origin, deployment)
);
CREATE INDEX verdict_time ON verdict (at);
