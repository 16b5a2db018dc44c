-- What the table keeps that is not telemetry: who may look, and how its probes of the origins went.
CREATE TABLE user (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT NOT NULL
);
CREATE TABLE session (
    token BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE api_token (
    name TEXT PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE probe (
    origin TEXT NOT NULL,
    minute INTEGER NOT NULL,
    good INTEGER NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (origin, minute)
) WITHOUT ROWID;
