-- portal.db: passkeys, by the id of their credential. `count`: how often it signed, where it counts.
CREATE TABLE IF NOT EXISTS passkey (
    credential BLOB NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE, sub TEXT NOT NULL, count INTEGER NOT NULL, used_ts INTEGER NOT NULL,
    passkey BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS passkey_of_account ON passkey (sub);
