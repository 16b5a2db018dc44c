-- What GitHub was told of each deployment.
CREATE TABLE github_deployment (
    deployment TEXT PRIMARY KEY,
    told BLOB NOT NULL
) WITHOUT ROWID;
