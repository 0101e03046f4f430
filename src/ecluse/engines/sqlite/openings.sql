-- openings.db: which entries of the journal are openings, by insurer. It can be deleted: it is made again from the journal, with the
-- same ids. A person and an account stand in it as one keyed digest, `id`.
CREATE TABLE IF NOT EXISTS opening (
    id BLOB PRIMARY KEY, insurer TEXT NOT NULL, shard TEXT NOT NULL, place INTEGER NOT NULL, at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS opening_by_place ON opening (insurer, shard, place);
-- How far each shard of the journal was read, in entries.
CREATE TABLE IF NOT EXISTS mark (shard TEXT PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
