-- The ledger.

-- name: entry_numbers
-- As many numbers as there are new entries, after those already there.
WITH RECURSIVE numbered (number, nth) AS (
    SELECT coalesce(max(entry), 0) + 1, 1 FROM posting
    UNION ALL SELECT number + 1, nth + 1 FROM numbered WHERE nth < :entries
)
SELECT number FROM numbered WHERE :entries > 0

-- name: post
-- One posting of an entry.
INSERT INTO posting (entry, n, account, amount_cents, because, about, at_ts_us)
VALUES (:entry, :n, :account, :amount_cents, :because, :about, :at_ts_us)

-- name: balances
-- What every account holds.
SELECT account, CAST(sum(amount_cents) AS BIGINT) FROM posting GROUP BY account ORDER BY account
