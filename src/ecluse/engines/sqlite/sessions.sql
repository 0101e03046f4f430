-- portal.db, shared by the processes of a hub; made when the first browser comes.
-- Logins under way, by the hashes of the two secrets their browser has.
CREATE TABLE IF NOT EXISTS login (
    state BLOB NOT NULL UNIQUE, browser BLOB NOT NULL, begun_ts INTEGER NOT NULL, begun BLOB NOT NULL
) STRICT;
-- Sessions, by the hash of their cookie.
CREATE TABLE IF NOT EXISTS session (
    token BLOB NOT NULL UNIQUE, sub TEXT NOT NULL, until_ts INTEGER NOT NULL, seen_ts INTEGER NOT NULL, session BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS session_of_account ON session (sub);
