-- openings.db: which entries of the journal are openings, by insurer. It can be deleted: it is made again from the journal, with the
-- same ids. A person and an account stand in it as one keyed digest, `id`.
CREATE TABLE IF NOT EXISTS opening (
    id BLOB PRIMARY KEY, insurer TEXT NOT NULL, shard TEXT NOT NULL, place INTEGER NOT NULL, at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS opening_by_time ON opening (insurer, at_us);
CREATE INDEX IF NOT EXISTS opening_by_place ON opening (insurer, shard, place);
-- "Not me", by the opening it is about; `is_durable`: its entry is in the journal.
CREATE TABLE IF NOT EXISTS denial (
    id BLOB PRIMARY KEY, insurer TEXT NOT NULL, account TEXT NOT NULL, practice TEXT NOT NULL, opened_us INTEGER NOT NULL,
    at_us INTEGER NOT NULL, said_by TEXT NOT NULL, is_staff INTEGER NOT NULL, reason TEXT NOT NULL, weight TEXT NOT NULL,
    is_durable INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS denial_by_account ON denial (account, at_us);
CREATE INDEX IF NOT EXISTS denial_by_insurer ON denial (insurer, at_us);
-- How far each shard of the journal was read, in entries.
CREATE TABLE IF NOT EXISTS mark (shard TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
