-- What SQLite says in its own way.

-- name: integrity
-- Every page read once; `ok`, or the first thing that is wrong.
PRAGMA quick_check(1)
