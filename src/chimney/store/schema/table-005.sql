-- Links that show the wall and nothing else; `token` is the SHA-256 of what the address carries.
CREATE TABLE wall_link (
    id TEXT PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL,
    last_used_at REAL
);
