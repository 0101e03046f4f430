-- engagements.db: engagements given, copied from the journal. It can be deleted: it is filled again from the journal.

CREATE TABLE IF NOT EXISTS engagement (
    number TEXT PRIMARY KEY, insurer TEXT NOT NULL, practice TEXT NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each writer of the journal has been copied, in bytes of its slot.
CREATE TABLE IF NOT EXISTS mark (
    slot TEXT PRIMARY KEY, position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
