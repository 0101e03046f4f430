-- What an exposure asks beside `displayed` and `sealed_persons`. Read by DuckDB and by Spark: nothing here is of one of them alone.
-- People are counted insurer by insurer: a reference is one insurer's, so the whole is the sum of its parts.

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

-- name: exposed_days
-- People shown, by insurer and by day in Paris. `hours` says which day each hour of the window is.
SELECT insurer, day AS value, count(*) AS people
FROM (
    SELECT day, insurer, reference
    FROM (
        SELECT ts_us - ts_us % 3600000000 AS hour_us, shard, person, any_value(insurer) AS insurer,
               any_value(reference) AS reference
        FROM entries
        WHERE person <> 0 AND fields <> 0
        GROUP BY ts_us - ts_us % 3600000000, shard, person
    ) AS hourly
    JOIN hours USING (hour_us)
    GROUP BY day, insurer, reference
) AS daily
GROUP BY insurer, day
ORDER BY insurer, value

-- name: exposed_accounts
-- People shown, by insurer and account.
SELECT insurer, account AS value, count(*) AS people
FROM (
    SELECT account, insurer, reference
    FROM (
        SELECT account, any_value(insurer) AS insurer, any_value(reference) AS reference
        FROM entries
        WHERE person <> 0 AND fields <> 0
        GROUP BY account, shard, person
    ) AS numbered
    GROUP BY account, insurer, reference
) AS people
GROUP BY insurer, account
ORDER BY insurer, value

-- name: exposed_practices
-- People shown, by insurer and the practice that asked.
SELECT insurer, practice AS value, count(*) AS people
FROM (
    SELECT practice, insurer, reference
    FROM (
        SELECT practice, any_value(insurer) AS insurer, any_value(reference) AS reference
        FROM entries
        WHERE person <> 0 AND fields <> 0
        GROUP BY practice, shard, person
    ) AS numbered
    GROUP BY practice, insurer, reference
) AS people
GROUP BY insurer, practice
ORDER BY insurer, value

-- name: lists_shown
-- How often lists of a practice's own claims or approvals were shown: they name nobody.
SELECT count(*) AS times FROM entries WHERE outcome = 'listed' AND fields <> 0

-- name: losses_accepted
-- Losses of journal entries that an operator accepted.
SELECT outcome, ts_us FROM entries WHERE operation = 'loss_accepted' ORDER BY ts_us
