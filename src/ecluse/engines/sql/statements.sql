-- Bank statements: what they name, and what they change. `matched` is the scratch table of one reading.

-- name: matched_table
-- What the lines of a statement refer to.
CREATE TEMP TABLE matched (id TEXT PRIMARY KEY, booked_on TEXT, why TEXT NOT NULL DEFAULT '')

-- name: drop_matched
-- The scratch table of one reading.
DROP TABLE IF EXISTS matched

-- name: empty_matched
-- Begin the next list.
DELETE FROM matched

-- name: hold_matched
-- The claims of what is named change for nobody else meanwhile: one writer at a time does that here.
SELECT 1

-- name: match
-- One id, with the bank's day and reason.
INSERT INTO matched (id, booked_on, why) VALUES (:id, :booked_on, :why)
ON CONFLICT (id) DO UPDATE SET booked_on = excluded.booked_on, why = excluded.why

-- name: expected
-- Remittances and calls named.
SELECT id, practice, amount_cents, state, booked_on, returned_on FROM remittance WHERE id IN (SELECT id FROM matched)
UNION ALL
SELECT id, insurer, amount_cents, state, booked_on, returned_on FROM call_for_funds WHERE id IN (SELECT id FROM matched)

-- name: settle_remittances
-- The transfer left; one that came back already stays returned.
UPDATE remittance SET booked_on = m.booked_on, state = CASE state WHEN 'ordered' THEN 'settled' ELSE state END
FROM matched m WHERE m.id = remittance.id

-- name: settle_moves
-- The claims of those transfers are paid.
INSERT INTO claim_move (claim, n, at_ts_us, move, state, about)
SELECT c.id, 1 + coalesce((SELECT max(n) FROM claim_move v WHERE v.claim = c.id), 0), :at_ts_us, 'settle', 'settled', c.remittance
FROM matched m JOIN claim c ON c.remittance = m.id WHERE c.state = 'ordered'

-- name: settle_claims
-- The claims themselves.
UPDATE claim SET state = 'settled' WHERE state = 'ordered' AND remittance IN (SELECT id FROM matched)

-- name: return_remittances
-- The transfer came back, and why.
UPDATE remittance SET returned_on = m.booked_on, state = 'returned', why = m.why FROM matched m WHERE m.id = remittance.id

-- name: return_moves
-- The claims of those transfers are to be paid again; a cancelled one stays cancelled.
INSERT INTO claim_move (claim, n, at_ts_us, move, state, about)
SELECT c.id, 1 + coalesce((SELECT max(n) FROM claim_move v WHERE v.claim = c.id), 0), :at_ts_us, 'return', 'returned', c.remittance
FROM matched m JOIN claim c ON c.remittance = m.id WHERE c.state IN ('ordered', 'settled')

-- name: return_claims
-- The claims themselves.
UPDATE claim SET state = 'returned' WHERE state IN ('ordered', 'settled') AND remittance IN (SELECT id FROM matched)

-- name: fund_calls
-- The insurer's money is here.
UPDATE call_for_funds SET state = 'funded', booked_on = m.booked_on, returned_on = NULL, why = ''
FROM matched m WHERE m.id = call_for_funds.id

-- name: return_calls
-- The insurer's bank took its direct debit back.
UPDATE call_for_funds SET state = 'returned', returned_on = m.booked_on, why = m.why
FROM matched m WHERE m.id = call_for_funds.id

-- name: read_before
-- When a statement was read, and what was reported then.
SELECT counts FROM statement WHERE digest = :digest

-- name: remember
-- A statement read.
INSERT INTO statement (digest, at_ts_us, counts) VALUES (:digest, :at_ts_us, :counts)
