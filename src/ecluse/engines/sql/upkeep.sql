-- What an operator asks.

-- name: integrity
-- One row that says `ok`: a server checks its own pages (checksums), an embedded file is checked by its dialect.
SELECT 'ok'

-- name: insurers
-- Insurers served, and the generation of rights that answers.
SELECT amc, generation FROM insurer ORDER BY amc

-- name: feed_states
-- How many feeds are in each state.
SELECT state, count(*) FROM feed GROUP BY state
