-- Entries of the window that was asked, one by one: for proofs, and for whoever asks who looked at their rights.

-- name: entries_of
-- Every entry about one person, shown or not.
SELECT shard, index, ts_us, account, practice, operation, CAST(presence AS BIGINT) AS presence, CAST(fields AS BIGINT) AS fields,
       outcome, engagement, request, network, software, session
FROM entries
WHERE insurer = :insurer AND reference = :reference
ORDER BY ts_us, shard, index

-- name: displayed_places
-- Where the entries stand that displayed somebody.
SELECT shard, index FROM entries WHERE person <> 0 AND fields <> 0 ORDER BY shard, index

-- name: entries_of_incident
-- Where the entries stand of an incident: its events, what was asked and handed over for it, limits on its accounts, keys of its
-- insurers, and the caps that were set until it ended. `about`: the incident, its exposures, its accounts.
SELECT shard, index
FROM entries
WHERE (operation = 'caps_set' AND ts_us < :shown_until_us)
   OR (operation = 'recipient_set' AND array_contains(:shown_insurers, insurer))
   OR (operation IN ('incident', 'incident_read', 'contained', 'exposure_asked', 'journal_exported', 'journal_proved')
       AND (array_contains(:about, engagement) OR array_contains(:about, request)))
ORDER BY shard, index

-- name: entries_by_account
-- How many entries each account has, and when.
SELECT account, count(*) AS entries, min(ts_us) AS first_us, max(ts_us) AS last_us
FROM entries
GROUP BY account
ORDER BY account

-- name: sealed_persons
-- What leads those shown back to members: their `who`, sealed under their own keys, where an entry brought one. That of the last
-- month: an older one may have been sealed under a key that was destroyed since.
SELECT insurer, reference, max_by(who, shard) AS who
FROM (
    SELECT persons.insurer AS insurer, persons.reference AS reference, persons.who AS who, persons.shard AS shard
    FROM persons
    JOIN (
        SELECT shard, person FROM entries WHERE person <> 0 AND fields <> 0 GROUP BY shard, person
    ) AS shown ON persons.shard = shown.shard AND persons.person = shown.person
    WHERE persons.has_who
) AS brought
GROUP BY insurer, reference
ORDER BY insurer, reference
