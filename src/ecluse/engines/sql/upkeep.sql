-- What an operator asks.

-- name: integrity
-- One row that says `ok`, or what is wrong with a page: an embedded file is checked by its dialect; of servers more is asked.
SELECT 'ok'

-- name: ledger_broken
-- Entries of the ledger that do not sum to zero.
SELECT entry FROM posting GROUP BY entry HAVING sum(amount_cents) <> 0 ORDER BY entry

-- name: waiting_since
-- When the oldest feed that is not finished was received.
SELECT min(received_ts_us) FROM feed WHERE state IN ('received', 'loading')

-- name: insurers
-- Insurers served.
SELECT amc FROM insurer ORDER BY amc

-- name: answering
-- The generation of rights that answers for an insurer; null when it has none.
SELECT generation FROM insurer WHERE amc = :insurer

-- name: feed_states
-- How many feeds are in each state.
SELECT state, count(*) FROM feed GROUP BY state

-- name: claims_lacking
-- Which of these claims are not here. `:keys` is a JSON object that has them as its keys: both engines read one.
SELECT asked.key FROM json_each(:keys) AS asked WHERE NOT EXISTS (SELECT 1 FROM claim WHERE id = asked.key)

-- name: cancellations_lacking
-- Which of these claims are not here as cancelled.
SELECT asked.key FROM json_each(:keys) AS asked
WHERE NOT EXISTS (SELECT 1 FROM claim WHERE id = asked.key AND state = 'cancelled')

-- name: feeds_lacking
-- Which of these feeds have no outcome here.
SELECT asked.key FROM json_each(:keys) AS asked
WHERE NOT EXISTS (SELECT 1 FROM feed WHERE id = asked.key AND state IN ('loaded', 'refused'))

-- name: products_lacking
-- Which of these versions of guarantee tables are not here.
SELECT asked.key FROM json_each(:keys) AS asked
WHERE asked.key NOT IN (SELECT insurer || ' ' || product || ' ' || version FROM product)

-- name: engagements_lacking
-- Which of these engagements are not here; an embedded hub has them in a file of their own.
SELECT asked.key FROM json_each(:keys) AS asked WHERE NOT EXISTS (SELECT 1 FROM engagement WHERE number = asked.key)
