-- What an operator asks.

-- name: integrity
-- One row that says `ok`: a server checks its own pages (checksums), an embedded file is checked by its dialect.
SELECT 'ok'

-- name: insurers
-- Insurers served.
SELECT amc FROM insurer ORDER BY amc

-- name: answering
-- The generation of rights that answers for an insurer; null when it has none.
SELECT generation FROM insurer WHERE amc = :insurer

-- name: feed_states
-- How many feeds are in each state.
SELECT state, count(*) FROM feed GROUP BY state
