-- Bank details and insurers' public keys, sealed before they get here.

-- name: insurers_known
-- Every insurer the hub knows.
SELECT amc FROM insurer ORDER BY amc

-- name: payee
-- A practice's.
SELECT payee FROM practice WHERE practice = :name

-- name: put_payee
-- Keep a practice's.
INSERT INTO practice (practice, payee) VALUES (:name, :sealed)
ON CONFLICT (practice) DO UPDATE SET payee = excluded.payee

-- name: settlement
-- An insurer's.
SELECT settlement FROM insurer WHERE amc = :name

-- name: put_settlement
-- Keep an insurer's.
INSERT INTO insurer (amc, settlement) VALUES (:name, :sealed)
ON CONFLICT (amc) DO UPDATE SET settlement = excluded.settlement

-- name: recipient
-- The public key to which an insurer's lists are encrypted.
SELECT recipient FROM insurer WHERE amc = :name

-- name: put_recipient
-- Keep an insurer's.
INSERT INTO insurer (amc, recipient) VALUES (:name, :sealed)
ON CONFLICT (amc) DO UPDATE SET recipient = excluded.recipient
