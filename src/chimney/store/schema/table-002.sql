-- What operators had done, and what became of it. Rows are only ever added; `hash` chains them.
-- `of` is the row whose outcome this row tells, NULL for what stands alone or was asked.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    act TEXT NOT NULL,
    record BLOB NOT NULL,
    hash TEXT NOT NULL,
    of INTEGER UNIQUE REFERENCES audit (seq)
);
