-- passes.db: passes issued, by their index in the status list. Losing it makes every pass refused: it belongs to a backup.

CREATE TABLE IF NOT EXISTS pass (
    place INTEGER PRIMARY KEY,
    insurer TEXT NOT NULL,
    person BLOB NOT NULL,
    made BLOB NOT NULL,
    expires_ts INTEGER NOT NULL,
    batch BLOB NOT NULL,
    line INTEGER NOT NULL,
    revoked_ts INTEGER,
    mark BLOB NOT NULL DEFAULT x'',
    UNIQUE (batch, line)
) STRICT;

-- Rows of an insurer's lists that named nobody, of the last day on which there were any.
CREATE TABLE IF NOT EXISTS missed (
    insurer TEXT PRIMARY KEY,
    day INTEGER NOT NULL,
    rows INTEGER NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS pass_person ON pass (insurer, person);
CREATE INDEX IF NOT EXISTS pass_expires ON pass (expires_ts);
CREATE INDEX IF NOT EXISTS pass_revoked ON pass (place) WHERE revoked_ts IS NOT NULL;
