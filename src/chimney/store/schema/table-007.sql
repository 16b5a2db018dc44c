-- People and programs. `source` is who vouches for a user, `subject` who that is there; a user without a password of
-- ours has an empty one. `configured` is the hash of the password in the settings that was taken over last.
ALTER TABLE user ADD COLUMN source TEXT NOT NULL DEFAULT 'password';
ALTER TABLE user ADD COLUMN subject TEXT;
ALTER TABLE user ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN last_seen_at REAL;
ALTER TABLE user ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN configured TEXT NOT NULL DEFAULT '';
UPDATE user SET configured = password, created_at = CAST(strftime('%s', 'now') AS REAL);
CREATE UNIQUE INDEX user_subject ON user (subject) WHERE subject IS NOT NULL;
-- Browsers that signed in as a user; `token` is the SHA-256 of what their cookie carries.
CREATE TABLE device (
    token BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
ALTER TABLE api_token RENAME TO api_token_before;
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    token BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    prefix TEXT NOT NULL,
    created_at REAL NOT NULL,
    created_by TEXT NOT NULL,
    expires_at REAL,
    last_used_at REAL
);
INSERT INTO api_token (id, name, token, role, prefix, created_at, created_by)
    SELECT lower(hex(randomblob(6))), name, token, role, '', created_at, '' FROM api_token_before;
DROP TABLE api_token_before;
