-- gate.db: what the answering processes write down for the watcher, and what it keeps of it. Accounts by their number in `account`.
-- `happening`: waits a quarter of a second; `account` is 0 where it is about none. Classes, pseudonyms and names of insurers, no NIR.
CREATE TABLE IF NOT EXISTS happening (id INTEGER PRIMARY KEY, account INTEGER NOT NULL, what BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sensed (account INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
-- `waiting`: openings until their 30 days are over.
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
