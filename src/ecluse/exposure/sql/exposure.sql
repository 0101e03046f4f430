-- What an exposure asks beside `displayed` and `sealed_persons`. Read by DuckDB and by Spark: nothing here is of one of them alone.

-- name: unexplained
-- People shown at least once without proof of presence and without an accepted claim of the same place, since cancelled or not
-- sent within `within_us`. Asked over a longer window, of all accounts: the accounts, logins and networks that are meant, and the end
-- of the exposure, come as values. An empty login or network among them means any.
WITH typed AS (
    SELECT DISTINCT insurer, reference, practice, ts_us
    FROM entries
    WHERE person <> 0 AND fields <> 0 AND presence = 0 AND ts_us < :shown_until_us
      AND array_contains(:meant_accounts, account)
      AND (array_contains(:meant_sessions, '') OR array_contains(:meant_sessions, session))
      AND (array_contains(:meant_networks, '') OR array_contains(:meant_networks, network))
),
billed AS (
    SELECT insurer, reference, practice, ts_us
    FROM entries
    WHERE person <> 0 AND operation = 'claim' AND outcome = 'accepted'
      AND request NOT IN (SELECT engagement FROM entries WHERE operation = 'claim_cancelled')
),
explained AS (
    SELECT DISTINCT typed.insurer AS insurer, typed.reference AS reference, typed.practice AS practice, typed.ts_us AS ts_us
    FROM typed
    JOIN billed
      ON billed.insurer = typed.insurer AND billed.reference = typed.reference AND billed.practice = typed.practice
     AND billed.ts_us >= typed.ts_us AND billed.ts_us <= typed.ts_us + :within_us
)
SELECT typed.insurer AS insurer, typed.reference AS reference
FROM typed
LEFT JOIN explained
  ON explained.insurer = typed.insurer AND explained.reference = typed.reference AND explained.practice = typed.practice
 AND explained.ts_us = typed.ts_us
WHERE explained.ts_us IS NULL
GROUP BY typed.insurer, typed.reference
ORDER BY insurer, reference

-- name: lists_shown
-- How often lists of a practice's own claims or approvals were shown: they name nobody.
SELECT count(*) AS times FROM entries WHERE outcome = 'listed' AND fields <> 0

-- name: losses_accepted
-- Losses of journal entries that an operator accepted.
SELECT outcome, ts_us FROM entries WHERE operation = 'loss_accepted' ORDER BY ts_us
