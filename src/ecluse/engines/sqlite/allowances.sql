-- gate.db: who opened whom, and where each account stands. What it holds follows from the journal and from settled claims.
-- Names are held once and numbered; a person is the first 8 bytes of the insurer's reference: two of an account's ten thousand people
-- fall together once in 10^11 accounts, and then one of them is free. Days are numbered from 1970-01-01.
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, profession TEXT NOT NULL,
    full_us INTEGER NOT NULL, debt INTEGER NOT NULL, year INTEGER NOT NULL, cap INTEGER NOT NULL, day INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS practice (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- `presence`: by which proof the person was first told of, or justified since; `justified`: the day, by a settled claim or a pass.
-- `settled`: of somebody typed, then shown on a later day: the day of a settled claim that stands; of those never shown `justified` says it.
-- `denied`: 1 the person said "not me"; 2 the same, told again by the journal after the month of it was pruned: no count of its day has it.
CREATE TABLE IF NOT EXISTS opening (
    account INTEGER NOT NULL, person INTEGER NOT NULL, practice INTEGER NOT NULL, day INTEGER NOT NULL,
    presence INTEGER NOT NULL, justified INTEGER, denied INTEGER NOT NULL DEFAULT 0, settled INTEGER,
    PRIMARY KEY (account, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS opening_by_day ON opening (account, day);
CREATE TABLE IF NOT EXISTS mark (slot TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- Where an account opened anybody.
CREATE TABLE IF NOT EXISTS place (
    practice INTEGER NOT NULL, account INTEGER NOT NULL, PRIMARY KEY (practice, account)
) STRICT, WITHOUT ROWID;
-- Tables of caps, as JSON, by when they began to hold (Unix, in microseconds).
CREATE TABLE IF NOT EXISTS caps (since_us INTEGER PRIMARY KEY, caps TEXT NOT NULL) STRICT;
