-- Who was shown, and how many. Read by DuckDB and by Spark: nothing here is of one of them alone.
-- `entries` holds the entries of the window that was asked, by the accounts, insurers, sessions and networks that were asked.
-- Persons are first brought together by their 32-bit number in each shard, which is fast, then by their reference, which is
-- exact: somebody seen by several writers, or in several months, is one person. Counts are told insurer by insurer: a reference is
-- one insurer's, so the whole is the sum of its parts.

-- name: displayed
-- Everybody about whom fields went out: which, when, how often, by what.
SELECT insurer, reference,
       CAST(bit_or(fields) AS BIGINT) AS fields,
       min(first_us) AS first_us,
       max(last_us) AS last_us,
       CAST(sum(entries) AS BIGINT) AS entries,
       CAST(sum(typed) AS BIGINT) AS typed,
       CAST(sum(passed) AS BIGINT) AS passed,
       CAST(sum(live) AS BIGINT) AS live,
       array_sort(array_distinct(flatten(array_agg(operations)))) AS operations
FROM (
    SELECT shard, person, any_value(insurer) AS insurer, any_value(reference) AS reference,
           bit_or(CAST(fields AS BIGINT)) AS fields,
           min(ts_us) AS first_us,
           max(ts_us) AS last_us,
           count(*) AS entries,
           sum(CASE WHEN presence = 0 THEN 1 ELSE 0 END) AS typed,
           sum(CASE WHEN presence = 1 THEN 1 ELSE 0 END) AS passed,
           sum(CASE WHEN presence = 2 THEN 1 ELSE 0 END) AS live,
           array_agg(DISTINCT operation) AS operations
    FROM entries
    WHERE person <> 0 AND fields <> 0
    GROUP BY shard, person
) AS numbered
GROUP BY insurer, reference
ORDER BY insurer, reference

-- name: displayed_by_insurer
-- Persons shown, by insurer.
SELECT insurer, count(*) AS persons
FROM (
    SELECT insurer, reference
    FROM (
        SELECT any_value(insurer) AS insurer, any_value(reference) AS reference
        FROM entries
        WHERE person <> 0 AND fields <> 0
        GROUP BY shard, person
    ) AS numbered
    GROUP BY insurer, reference
) AS people
GROUP BY insurer
ORDER BY insurer

-- name: displayed_by_insurer_and_field
-- Persons of whom a field was shown, by insurer and field; `field` is its bit in journal entries.
SELECT insurer, field, count(*) AS persons
FROM (
    SELECT insurer, bit_or(fields) AS fields
    FROM (
        SELECT any_value(insurer) AS insurer, any_value(reference) AS reference, bit_or(CAST(fields AS BIGINT)) AS fields
        FROM entries
        WHERE person <> 0 AND fields <> 0
        GROUP BY shard, person
    ) AS numbered
    GROUP BY insurer, reference
) AS people
JOIN (
    VALUES (CAST(1 AS BIGINT)), (2), (4), (8), (16), (32), (64), (128), (256), (512), (1024), (2048), (4096), (8192), (16384),
           (32768), (65536), (131072), (262144), (524288), (1048576), (2097152), (4194304), (8388608), (16777216), (33554432),
           (67108864), (134217728), (268435456), (536870912), (1073741824), (2147483648)
) AS bits(field) ON (fields & field) <> 0
GROUP BY insurer, field
ORDER BY insurer, field

-- name: disclosed
-- How often fields were told, by insurer and set of fields: each entry once, whoever told the same before. `fields` is the set's bits.
SELECT insurer, CAST(fields AS BIGINT) AS fields, count(*) AS entries
FROM entries
WHERE person <> 0 AND fields <> 0
GROUP BY insurer, CAST(fields AS BIGINT)
ORDER BY insurer, fields

-- name: disclosed_of_each
-- The same person by person.
SELECT insurer, reference, fields, CAST(sum(entries) AS BIGINT) AS entries
FROM (
    SELECT shard, person, CAST(fields AS BIGINT) AS fields, any_value(insurer) AS insurer, any_value(reference) AS reference,
           count(*) AS entries
    FROM entries
    WHERE person <> 0 AND fields <> 0
    GROUP BY shard, person, CAST(fields AS BIGINT)
) AS numbered
GROUP BY insurer, reference, fields
ORDER BY insurer, reference, fields

-- name: displayed_by
-- By which accounts, and at which practices, each person was displayed.
SELECT insurer, reference, account, practice
FROM (
    SELECT shard, person, account, practice, any_value(insurer) AS insurer, any_value(reference) AS reference
    FROM entries
    WHERE person <> 0 AND fields <> 0
    GROUP BY shard, person, account, practice
) AS numbered
GROUP BY insurer, reference, account, practice
ORDER BY insurer, reference, account, practice

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
