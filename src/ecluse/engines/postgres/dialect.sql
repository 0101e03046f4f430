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
