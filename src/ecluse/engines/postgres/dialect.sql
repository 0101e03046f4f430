-- What PostgreSQL says in its own way: many write at once here, so rows that will be changed are held first.

-- name: entry_numbers
-- Numbers nobody else gets; one that is undone leaves a gap.
SELECT nextval('posting_entry') FROM generate_series(1, :entries)

-- name: own_claim_to_change
-- One claim of a practice, held until the end.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE id = :claim AND practice = :practice FOR UPDATE

-- name: hold_claims_to_mend
-- Claims that a run looks at again, held until the end, always in the same order.
SELECT id FROM claim WHERE state IN ('returned', 'cancelled') AND remittance IS NOT NULL ORDER BY id FOR UPDATE

-- name: due_first
-- Accepted claims received in time, held: never ordered before, so all of their amount is due.
INSERT INTO due (claim, practice, invoice, insurer, state, amount_cents, pay_by)
SELECT id, practice, invoice, insurer, state, amc_cents, coalesce(pay_by, '')
FROM claim WHERE state = 'accepted' AND received_on <= :until ORDER BY id FOR UPDATE

-- name: hold_matched
-- The claims of what a statement names, held until the end, always in the same order.
SELECT id FROM claim WHERE remittance IN (SELECT id FROM matched) ORDER BY id FOR UPDATE

-- name: place_insurer
-- An insurer is on that server, unless it is on one already.
INSERT INTO insurer (amc, server) VALUES (:insurer, :server)
ON CONFLICT (amc) DO UPDATE SET server = coalesce(insurer.server, excluded.server)

-- name: server_of
-- The server an insurer is on, and whether it is on the way to another.
SELECT server, EXISTS (SELECT 1 FROM move WHERE move.insurer = insurer.amc AND state <> 'done')
FROM insurer WHERE amc = :insurer AND server IS NOT NULL

-- name: servers_of_insurers
-- Where every insurer is.
SELECT amc, server FROM insurer WHERE server IS NOT NULL

-- name: serve_here
-- This server answers for the insurer.
INSERT INTO served (insurer) VALUES (:insurer) ON CONFLICT DO NOTHING

-- name: served_here
-- Whether this server answers for the insurer.
SELECT true FROM served WHERE insurer = :insurer

-- name: move_under_way
-- From where to where an insurer is moving, how far that is, the feed whose rights answered at the switch and the version of its
-- index key, and when whoever is at it began.
SELECT source, target, state, feed, index_version, at_ts_us FROM move WHERE insurer = :insurer AND state <> 'done'

-- name: begin_move
-- A move begins.
INSERT INTO move (insurer, source, target, state, at_ts_us) VALUES (:insurer, :source, :target, 'copying', :at_ts_us)
ON CONFLICT (insurer) DO UPDATE
SET source = excluded.source, target = excluded.target, state = 'copying', feed = '', at_ts_us = excluded.at_ts_us

-- name: resume_move
-- A move that was broken off is gone on with, or taken back; whoever broke it off can end it no more.
UPDATE move SET state = :state, at_ts_us = :at_ts_us WHERE insurer = :insurer AND state <> 'done'

-- name: switch_move
-- The old server is about to stop serving the rights of that feed.
UPDATE move SET state = 'switching', feed = :feed, index_version = :index_version
WHERE insurer = :insurer

-- name: insurer_is_on
-- The new server serves the insurer.
UPDATE insurer SET server = :server WHERE amc = :insurer

-- name: clean_move
-- The switch is done; what is left on the old server is to go.
UPDATE move SET state = 'cleaning' WHERE insurer = :insurer

-- name: end_move
-- Nothing is left on the old server.
UPDATE move SET state = 'done' WHERE insurer = :insurer

-- name: answering
-- The feed whose rights answer for an insurer, on its own server; null when it has none.
SELECT nullif(feed, '') FROM served WHERE insurer = :insurer

-- name: approval_to_change
-- Where an approval is, held until the end.
SELECT state, bill_by FROM approval WHERE id = :approval FOR UPDATE
