-- Prior approvals, and their lives.

-- name: live_reference
-- The approval that holds a reference of a practice, if one does.
SELECT id, practice, reference, body, insurer, person, engagement, state, amc_cents, asked_on, valid_until, bill_by, sealed
FROM approval WHERE practice = :practice AND reference = :reference AND state <> 'refused'

-- name: refused_approval
-- The refused approval that was asked for with this very body.
SELECT id, practice, reference, body, insurer, person, engagement, state, amc_cents, asked_on, valid_until, bill_by, sealed
FROM approval WHERE practice = :practice AND reference = :reference AND state = 'refused' AND body = :body

-- name: own_approval
-- One approval of a practice.
SELECT id, practice, reference, body, insurer, person, engagement, state, amc_cents, asked_on, valid_until, bill_by, sealed
FROM approval WHERE id = :approval AND practice = :practice

-- name: any_approval
-- One approval, whoever asked for it: for the hub, which withdraws it. The first move of its life says when it was asked for.
SELECT a.state, a.bill_by, a.insurer, a.person, a.sealed, m.at_ts_us
FROM approval AS a JOIN approval_move AS m ON m.approval = a.id AND m.n = 1 WHERE a.id = :approval

-- name: approval_to_change
-- Where an approval is, for a unit of work that changes it: its state, and until when its reservation holds.
SELECT state, bill_by FROM approval WHERE id = :approval

-- name: add_approval
-- An approval, already decided.
INSERT INTO approval (
    id, practice, reference, body, insurer, person, engagement, state, amc_cents, asked_on, valid_until, bill_by, sealed
) VALUES (
    :approval, :practice, :reference, :body, :insurer, :person, :engagement, :state, :amc_cents, :asked_on, :valid_until,
    :bill_by, :sealed
)

-- name: set_approval_state
-- Where an approval is now.
UPDATE approval SET state = :state WHERE id = :approval

-- name: add_approval_move
-- A move in an approval's life, after those already there.
INSERT INTO approval_move (approval, n, at_ts_us, move, state, about)
SELECT :approval, 1 + coalesce(max(n), 0), :at_ts_us, :move, :state, :about FROM approval_move WHERE approval = :approval

-- name: approval_moves
-- The life of an approval, in order.
SELECT at_ts_us, move, state, about FROM approval_move WHERE approval = :approval ORDER BY n

-- name: claims_under
-- The standing claims of an approval.
SELECT c.id, c.practice, c.invoice, c.body, c.insurer, c.person, c.engagement, c.state, c.amc_cents, c.received_on, c.pay_by,
    c.replaces, c.remittance, c.sealed
FROM approval_move AS m JOIN claim AS c ON c.id = m.about
WHERE m.approval = :approval AND m.move = 'use' AND c.state <> 'cancelled' ORDER BY m.n

-- name: approval_page
-- Approvals of a practice as they are `today`, newest first, before a cursor; empty values filter nothing.
SELECT id, reference, standing, asked_on, amc_cents, valid_until, bill_by FROM (
    SELECT id, reference, asked_on, amc_cents, valid_until, bill_by,
        CASE WHEN state = 'granted' AND bill_by < :today THEN 'expired' ELSE state END AS standing
    FROM approval WHERE practice = :practice AND (:cursor = '' OR id < :cursor)
) AS asked
WHERE (:state = '' OR standing = :state) AND asked_on >= :first AND (:last = '' OR asked_on <= :last)
ORDER BY id DESC LIMIT :limit

-- name: asked_since
-- How many approvals a practice asked for from an identifier on.
SELECT count(*) FROM approval WHERE practice = :practice AND id >= :since
