-- Member feeds.

-- name: begin_feed
-- A feed that was received, or is loaded from the command line.
INSERT INTO feed (id, insurer, mode, digest, state, received_ts_us, account, drop_unknown, spooled)
VALUES (:id, :insurer, :mode, :digest, :state, :received_ts_us, :account, :drop_unknown, :spooled)

-- name: same_feed
-- The newest feed of the same content, unless it was overtaken: another one loaded after it, or received after it and still waiting,
-- changes what it would do. One that broke on our side, whose account was shut, or that would have left few members, was not done:
-- the same file is tried again.
SELECT id FROM feed AS this
WHERE insurer = :insurer AND mode = :mode AND digest = :digest
  AND NOT EXISTS (
      SELECT 1 FROM feed AS other
      WHERE other.insurer = this.insurer AND other.state = 'loaded' AND other.id <> this.id
        AND this.finished_ts_us IS NOT NULL AND other.finished_ts_us >= this.finished_ts_us
  )
  AND NOT EXISTS (
      SELECT 1 FROM feed AS other
      WHERE other.insurer = this.insurer AND other.state IN ('received', 'loading') AND other.spooled = 1 AND other.id > this.id
  )
  AND NOT EXISTS (
      SELECT 1 FROM feed_refusal AS why
      WHERE why.feed = this.id
        AND why.code IN ('feed_not_loaded', 'spool_broken', 'feed_no_room', 'account_quarantined', 'feed_shrinks')
  )
ORDER BY id DESC LIMIT 1

-- name: feed
-- A feed by its id.
SELECT id, insurer, mode, state, received_ts_us, account, drop_unknown, spooled, counts, digest FROM feed WHERE id = :feed

-- name: unfinished_feeds
-- Feeds received over HTTP that are not finished, oldest first.
SELECT id FROM feed WHERE state IN ('received', 'loading') AND spooled = 1 ORDER BY id

-- name: feeds_in_turn
-- The oldest unfinished feed of each insurer received over HTTP. Whose last feed ended longest ago comes first: an insurer who sends
-- much makes nobody else wait longer than one of its files.
SELECT this.id, this.insurer FROM feed AS this
WHERE this.state IN ('received', 'loading') AND this.spooled = 1
  AND NOT EXISTS (
      SELECT 1 FROM feed AS older
      WHERE older.state IN ('received', 'loading') AND older.spooled = 1 AND older.insurer = this.insurer AND older.id < this.id
  )
ORDER BY coalesce((SELECT max(ended.finished_ts_us) FROM feed AS ended WHERE ended.insurer = this.insurer), 0), this.id

-- name: waiting_feeds
-- How many files of an insurer were received over HTTP and are not finished.
SELECT count(*) FROM feed WHERE insurer = :insurer AND state IN ('received', 'loading') AND spooled = 1

-- name: unfit_feeds
-- How many deltas of an insurer ended since then with rows that did not fit what is held.
SELECT count(*) FROM feed
WHERE insurer = :insurer AND mode = 'delta' AND state = 'refused' AND finished_ts_us >= :since_ts_us AND EXISTS (
    SELECT 1 FROM feed_refusal AS why WHERE why.feed = feed.id AND why.code IN ('nothing_to_end', 'period_overlaps')
)

-- name: loaded_feeds
-- What each feed left its insurer's rights with, oldest first.
SELECT insurer, finished_ts_us, counts FROM feed
WHERE state = 'loaded' AND finished_ts_us < :until_ts_us ORDER BY insurer, finished_ts_us

-- name: newest_counts
-- What the insurer's rights hold since the newest member file.
SELECT counts FROM feed WHERE insurer = :insurer AND state = 'loaded' ORDER BY finished_ts_us DESC LIMIT 1

-- name: shown_counts
-- What the insurer's rights held since the newest member file that is a full one, or was loaded before then.
SELECT counts FROM feed WHERE insurer = :insurer AND state = 'loaded' AND (mode = 'full' OR finished_ts_us < :before_ts_us)
ORDER BY finished_ts_us DESC LIMIT 1

-- name: finish_feed
-- The outcome of a feed; a finished one never changes again.
UPDATE feed SET state = :state, finished_ts_us = :at_ts_us, counts = :counts, generation = :generation
WHERE id = :id AND state IN ('received', 'loading')

-- name: load_feed
-- A feed is being loaded.
UPDATE feed SET state = 'loading' WHERE id = :feed AND state = 'received'

-- name: answer_feed
-- From this commit on, every check of every process is answered from this generation.
INSERT INTO insurer (amc, generation) VALUES (:insurer, :generation)
ON CONFLICT (amc) DO UPDATE SET generation = excluded.generation

-- name: generation
-- The generation that answers now.
SELECT generation FROM insurer WHERE amc = :insurer

-- name: refused_row
-- Why a row was refused.
INSERT INTO feed_refusal (feed, line, field, code, detail, fix) VALUES (:feed, :line, :column, :code, :detail, :fix)
ON CONFLICT DO NOTHING

-- name: feed_refusals
-- The refused rows of a feed, in the order of its lines.
SELECT line, field, code, detail, fix FROM feed_refusal WHERE feed = :feed ORDER BY line, field, code

-- name: feed_requested
-- What a key was used for.
SELECT body, feed FROM feed_request WHERE insurer = :insurer AND key = :key

-- name: feed_request
-- Remember a key.
INSERT INTO feed_request (insurer, key, body, feed) VALUES (:insurer, :key, :body, :feed)
