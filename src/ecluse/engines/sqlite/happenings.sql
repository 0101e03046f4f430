-- gate.db: what the answering processes write down for the watcher. Accounts by their number in `account`, 0 where it is about none;
-- classes, pseudonyms and names of insurers, no NIR. Read ones are taken away every two seconds, but for the last: ids only rise.
CREATE TABLE IF NOT EXISTS happening (id INTEGER PRIMARY KEY, account INTEGER NOT NULL, what BLOB NOT NULL) STRICT;
