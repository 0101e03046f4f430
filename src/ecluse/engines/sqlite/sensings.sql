-- sensed.db: what the watcher keeps, in a file of its own so that nobody who answers waits for it.
-- `mark`: one row, the last happening of gate.db that was read.
CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), through INTEGER NOT NULL) STRICT;
INSERT INTO mark VALUES (1, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state BLOB) STRICT;
-- `waiting`: openings until their 30 days are over; `person` as in gate.db.
CREATE TABLE IF NOT EXISTS waiting (
    day INTEGER NOT NULL, account INTEGER NOT NULL, person INTEGER NOT NULL, what BLOB NOT NULL,
    PRIMARY KEY (day, account, person)
) STRICT, WITHOUT ROWID;
-- `alert`: the last one of each signal.
CREATE TABLE IF NOT EXISTS alert (
    account INTEGER NOT NULL, signal INTEGER NOT NULL, at_s INTEGER NOT NULL, what BLOB NOT NULL,
    PRIMARY KEY (account, signal)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_by_time ON alert (at_s);
CREATE TABLE IF NOT EXISTS breaker (
    kind TEXT NOT NULL, name TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
-- `touch`: who met a decoy, which of which batch, first and last in seconds.
CREATE TABLE IF NOT EXISTS touch (
    batch TEXT NOT NULL, place INTEGER NOT NULL, account TEXT NOT NULL, first_s INTEGER NOT NULL, last_s INTEGER NOT NULL,
    times INTEGER NOT NULL, network TEXT NOT NULL, software TEXT NOT NULL, PRIMARY KEY (batch, place, account)
) STRICT, WITHOUT ROWID;
-- `seen`: where passes were shown in the last three hours, and to which account, by a keyed hash of the day and the person. Older rows
-- are deleted every minute.
CREATE TABLE IF NOT EXISTS seen (
    who INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, department TEXT NOT NULL, account TEXT NOT NULL DEFAULT ''
) STRICT;
