-- Claims. Taking one in, and cancelling one, are each one transaction.

-- name: live_invoice
-- The claim that holds an invoice number of a practice, if one does.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE practice = :practice AND invoice = :invoice AND state <> 'refused'

-- name: refused_body
-- The refused claim that was sent with this very body.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE practice = :practice AND invoice = :invoice AND state = 'refused' AND body = :body

-- name: own_claim
-- One claim of a practice.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE id = :claim AND practice = :practice

-- name: any_claim
-- One claim, whoever sent it: for the operator, whose reading is journalled.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE id = :claim

-- name: own_claim_to_change
-- The same, for a unit of work that changes it.
SELECT id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, remittance, sealed
FROM claim WHERE id = :claim AND practice = :practice

-- name: sent_back
-- Whether the bank sent back the transfer of that remittance: then there is nothing to take back.
SELECT state = 'returned' FROM remittance WHERE id = :remittance

-- name: add_claim
-- A claim, already decided.
INSERT INTO claim (
    id, practice, invoice, body, insurer, person, engagement, state, amc_cents, received_on, pay_by, replaces, sealed
) VALUES (
    :claim, :practice, :invoice, :body, :insurer, :person, :engagement, :state, :amc_cents, :received_on, :pay_by, :replaces, :sealed
)

-- name: add_move
-- A move in a claim's life, after those already there.
INSERT INTO claim_move (claim, n, at_ts_us, move, state, about)
SELECT :claim, 1 + coalesce(max(n), 0), :at_ts_us, :move, :state, :about FROM claim_move WHERE claim = :claim

-- name: set_state
-- Where a claim is now; its remittance stays, so that the next run can take back what was ordered.
UPDATE claim SET state = :state WHERE id = :claim

-- name: moves
-- The life of a claim, in order.
SELECT at_ts_us, move, state, about FROM claim_move WHERE claim = :claim ORDER BY n

-- name: used
-- What a person used of an account, day by day, and what others than `holder` reserved of it and still hold on the day `today`.
SELECT day, acts, cents FROM consumed
WHERE insurer = :insurer AND person = :person AND account = :account AND day BETWEEN :first AND :last
UNION ALL
SELECT day, acts, cents FROM reserved
WHERE insurer = :insurer AND person = :person AND account = :account AND day BETWEEN :first AND :last
    AND until >= :today AND holder <> :holder

-- name: use
-- Add to what was used; a cancellation adds a negative number.
INSERT INTO consumed (insurer, person, account, day, acts, cents) VALUES (:insurer, :person, :account, :day, :acts, :cents)
ON CONFLICT (insurer, person, account, day) DO UPDATE
SET acts = consumed.acts + excluded.acts, cents = consumed.cents + excluded.cents

-- name: held
-- What a holder reserved of an account, the day given first.
SELECT day, acts, cents, until FROM reserved
WHERE holder = :holder AND insurer = :insurer AND person = :person AND account = :account AND (acts > 0 OR cents > 0)
ORDER BY day <> :day, day

-- name: holds
-- Whether a holder reserves anything.
SELECT 1 FROM reserved WHERE holder = :holder AND (acts > 0 OR cents > 0) LIMIT 1

-- name: promised
-- What a holder reserves and still holds on the day `today`, all accounts together: they are of one person.
SELECT insurer, person, CAST(sum(acts) AS BIGINT), CAST(sum(cents) AS BIGINT) FROM reserved
WHERE holder = :holder AND until >= :today AND (acts > 0 OR cents > 0) GROUP BY insurer, person

-- name: free
-- All that a holder reserved is free again.
UPDATE reserved SET acts = 0, cents = 0 WHERE holder = :holder

-- name: reserve
-- Reserve so much, in the place of what the holder had reserved for that day.
INSERT INTO reserved (holder, insurer, person, account, day, acts, cents, until)
VALUES (:holder, :insurer, :person, :account, :day, :acts, :cents, :until)
ON CONFLICT (holder, account, day) DO UPDATE SET acts = excluded.acts, cents = excluded.cents, until = excluded.until

-- name: reserve_more
-- Reserve so much more for that day.
INSERT INTO reserved (holder, insurer, person, account, day, acts, cents, until)
VALUES (:holder, :insurer, :person, :account, :day, :acts, :cents, :until)
ON CONFLICT (holder, account, day) DO UPDATE
SET acts = reserved.acts + excluded.acts, cents = reserved.cents + excluded.cents, until = excluded.until

-- name: billed_already
-- The invoice under which a standing claim bills the same act, day, person and amount.
SELECT invoice FROM claim_mark JOIN claim ON claim.id = claim_mark.claim
WHERE mark = :mark AND state NOT IN ('refused', 'cancelled') LIMIT 1

-- name: add_mark
-- Remember a billed line. Twice in one claim is one mark.
INSERT INTO claim_mark (mark, claim) VALUES (:mark, :claim) ON CONFLICT DO NOTHING

-- name: page
-- Claims of a practice, newest first, before a cursor; empty values filter nothing.
SELECT id, invoice, state, received_on, amc_cents, pay_by, remittance, replaces FROM claim
WHERE practice = :practice AND (:cursor = '' OR id < :cursor) AND (:state = '' OR state = :state)
    AND received_on >= :first AND (:last = '' OR received_on <= :last)
ORDER BY id DESC LIMIT :limit

-- name: settled_people
-- For whom an insurer pays a practice, of claims sent since: one of nothing has no line in a call, so nobody would hear of it. Read
-- in the index `claim_settled` alone, whose condition this is.
SELECT DISTINCT person FROM claim
WHERE practice = :practice AND id >= :since AND state = 'settled' AND amc_cents > 0 AND person IS NOT NULL

-- name: sent_since
-- How many claims a practice sent from an identifier on; read in an index alone.
SELECT count(*) FROM claim WHERE practice = :practice AND id >= :since
