-- Every webhook delivery, once. `delivery` is what was read of it, packed, until it is worked off; `result` is NULL until then.
CREATE TABLE webhook_delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    received_at REAL NOT NULL,
    event TEXT NOT NULL,
    action TEXT,
    repo TEXT,
    subject TEXT,
    version BLOB,
    delivery BLOB,
    result TEXT,
    changed BLOB
);
CREATE INDEX webhook_delivery_pending ON webhook_delivery (seq) WHERE result IS NULL;
