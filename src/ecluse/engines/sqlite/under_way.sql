-- logins.db, shared by the processes of a hub; made when the first browser begins something.
-- Logins, passkeys' challenges and logouts under way, by the hashes of the two secrets their browser has.
CREATE TABLE IF NOT EXISTS login (
    state BLOB NOT NULL UNIQUE, browser BLOB NOT NULL, begun_ts INTEGER NOT NULL, begun BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS login_by_age ON login (begun_ts);
