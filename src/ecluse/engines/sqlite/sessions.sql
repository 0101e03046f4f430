-- portal.db, shared by the processes of a hub; made when the first browser comes.
-- Logins under way were here once; they are in logins.db now.
DROP TABLE IF EXISTS login;
-- Sessions, by the hash of their cookie.
CREATE TABLE IF NOT EXISTS session (
    token BLOB NOT NULL UNIQUE, sub TEXT NOT NULL, until_ts INTEGER NOT NULL, seen_ts INTEGER NOT NULL, session BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS session_of_account ON session (sub);
-- Sessions by what the provider calls the login they came from (a hash), for the day it ends that.
CREATE TABLE IF NOT EXISTS session_at_provider (sid BLOB NOT NULL, token BLOB NOT NULL, until_ts INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS session_of_login ON session_at_provider (sid);
-- Logout tokens of the provider's that were taken (hashes of their ids), until they hold no more.
CREATE TABLE IF NOT EXISTS logout_token (jti BLOB NOT NULL UNIQUE, until_ts INTEGER NOT NULL) STRICT;
