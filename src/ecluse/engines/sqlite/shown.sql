-- shown.db: presentations accepted in the last two minutes. It can be deleted with the hub stopped for as long.

CREATE TABLE IF NOT EXISTS shown (
    half_minute INTEGER NOT NULL, place INTEGER NOT NULL, nonce BLOB NOT NULL,
    PRIMARY KEY (half_minute, place, nonce)
) STRICT, WITHOUT ROWID;
