-- Payment runs. All of a run happens in one transaction; `due` and `chosen` are its scratch tables.

-- name: due_table
-- What is due, one row a claim; `part` is the transfer of its practice it goes into, `remittance` stays null when it is not paid now.
CREATE TEMP TABLE due (
    claim TEXT PRIMARY KEY, practice TEXT NOT NULL, invoice TEXT NOT NULL, insurer TEXT NOT NULL, state TEXT NOT NULL,
    amount_cents BIGINT NOT NULL, pay_by TEXT NOT NULL, part INTEGER NOT NULL DEFAULT 0, remittance TEXT
)

-- name: chosen_table
-- The transfers of the run: which remittance pays a part of what a practice is due.
CREATE TEMP TABLE chosen (
    practice TEXT NOT NULL, part INTEGER NOT NULL, remittance TEXT NOT NULL, PRIMARY KEY (practice, part)
)

-- name: drop_due
-- The scratch table of a run that did not end.
DROP TABLE IF EXISTS due

-- name: drop_chosen
-- The scratch table of a run that did not end.
DROP TABLE IF EXISTS chosen

-- name: due_known
-- Lets the planner know what is in the table.
ANALYZE due

-- name: chosen_known
-- Lets the planner know what is in the table.
ANALYZE chosen

-- name: hold_claims_to_mend
-- Claims that are looked at again change for nobody else meanwhile: one writer at a time does that here.
SELECT 1

-- name: due_first
-- Accepted claims received in time: never ordered before, so all of their amount is due.
INSERT INTO due (claim, practice, invoice, insurer, state, amount_cents, pay_by)
SELECT id, practice, invoice, insurer, state, amc_cents, coalesce(pay_by, '')
FROM claim WHERE state = 'accepted' AND received_on <= :until

-- name: due_again
-- Claims the bank sent back, or cancelled after they were ordered: owed minus ordered, remittances sent back not counting.
INSERT INTO due (claim, practice, invoice, insurer, state, amount_cents, pay_by)
SELECT id, practice, invoice, insurer, state, due_cents, pay_by FROM (
    SELECT c.id, c.practice, c.invoice, c.insurer, c.state, coalesce(c.pay_by, '') AS pay_by,
        CASE c.state WHEN 'cancelled' THEN 0 ELSE c.amc_cents END - (
            SELECT CAST(coalesce(sum(l.amount_cents), 0) AS BIGINT) FROM remittance_line l JOIN remittance r ON r.id = l.remittance
            WHERE l.claim = c.id AND r.state <> 'returned') AS due_cents
    FROM claim c WHERE c.state IN ('returned', 'cancelled') AND c.remittance IS NOT NULL) AS again
WHERE due_cents <> 0 OR state = 'returned'

-- name: practice_balances
-- What each practice is due, whether its bank details are known, and the most distant promise already broken.
SELECT d.practice, count(*), CAST(sum(d.amount_cents) AS BIGINT), max(CASE WHEN p.practice IS NULL THEN 0 ELSE 1 END)
FROM due d LEFT JOIN practice p ON p.practice = d.practice GROUP BY d.practice ORDER BY d.practice

-- name: lines_of_practice
-- One practice's lines, for those too large for one transfer.
SELECT claim, amount_cents FROM due WHERE practice = :practice ORDER BY claim

-- name: put_part
-- Put a line into a transfer of its practice.
UPDATE due SET part = :part WHERE claim = :claim

-- name: choose
-- A transfer of the run.
INSERT INTO chosen (practice, part, remittance) VALUES (:practice, :part, :remittance)

-- name: assign
-- Tie each line to its remittance.
UPDATE due SET remittance = (
    SELECT remittance FROM chosen c WHERE c.practice = due.practice AND c.part = due.part)

-- name: add_run
-- The run itself.
INSERT INTO pay_run (id, received_until, execute_on, state, at_ts_us, debtor, summary)
VALUES (:run, :until, :execute_on, 'ordered', :at_ts_us, :debtor, :summary)

-- name: add_remittances
-- One remittance a transfer, with the practice's bank details as they are today.
INSERT INTO remittance (id, run, practice, amount_cents, state, executed_on, payee)
SELECT d.remittance, :run, d.practice, CAST(sum(d.amount_cents) AS BIGINT), 'ordered', :execute_on, p.payee
FROM due d JOIN practice p ON p.practice = d.practice
WHERE d.remittance IS NOT NULL GROUP BY d.remittance, d.practice, p.payee

-- name: add_lines
-- Their lines, numbered from 1 in the order of claims.
INSERT INTO remittance_line (remittance, n, claim, invoice, kind, amount_cents)
SELECT remittance, row_number() OVER (PARTITION BY remittance ORDER BY claim), claim, invoice,
    CASE WHEN amount_cents < 0 THEN 'recovery' ELSE 'payment' END, amount_cents
FROM due WHERE remittance IS NOT NULL

-- name: move_ordered
-- A move in the life of each claim that is paid now; a cancelled one stays cancelled.
INSERT INTO claim_move (claim, n, at_ts_us, move, state, about)
SELECT claim, 1 + coalesce((SELECT max(n) FROM claim_move m WHERE m.claim = d.claim), 0), :at_ts_us,
    'order', 'ordered', remittance
FROM due d WHERE remittance IS NOT NULL AND state IN ('accepted', 'returned')

-- name: set_ordered
-- The claims themselves.
UPDATE claim SET state = 'ordered', remittance = d.remittance FROM due d
WHERE claim.id = d.claim AND d.remittance IS NOT NULL AND d.state IN ('accepted', 'returned')

-- name: remittances_of_run
-- The transfers of a run.
SELECT id, practice, amount_cents, payee FROM remittance WHERE run = :run ORDER BY id

-- name: owing_table
-- The claims for which an insurer may owe something new, or be owed.
CREATE TEMP TABLE owing (claim TEXT PRIMARY KEY)

-- name: drop_owing
-- The scratch table of a run that did not end.
DROP TABLE IF EXISTS owing

-- name: owing_now
-- Those the run pays, and all that came back or were cancelled after they were paid.
INSERT INTO owing (claim) SELECT claim FROM due WHERE remittance IS NOT NULL
UNION SELECT id FROM claim WHERE state IN ('returned', 'cancelled') AND remittance IS NOT NULL

-- name: owing_then
-- Those a lost run paid, and of the others those its calls tell of: what was cancelled since is for a later run.
INSERT INTO owing (claim) SELECT claim FROM due WHERE remittance IS NOT NULL
UNION SELECT c.id FROM told t JOIN claim c ON c.practice = t.practice AND c.invoice = t.invoice
WHERE t.what = 'called' AND c.state IN ('returned', 'cancelled') AND c.remittance IS NOT NULL

-- name: add_call_lines
-- What each insurer is to be called for, or given back: owed minus called. A claim paid again after a return is called once only.
INSERT INTO call_line (run, claim, insurer, practice, invoice, amount_cents)
SELECT :run, id, insurer, practice, invoice, due_cents FROM (
    SELECT c.id, c.insurer, c.practice, c.invoice, CASE c.state WHEN 'cancelled' THEN 0 ELSE c.amc_cents END - (
            SELECT CAST(coalesce(sum(k.amount_cents), 0) AS BIGINT) FROM call_line k WHERE k.claim = c.id) AS due_cents
    FROM claim c WHERE c.id IN (SELECT claim FROM owing)) AS owed
WHERE due_cents <> 0

-- name: insurer_balances
-- What each insurer would be called for, lines that waited included.
SELECT insurer, count(*), CAST(sum(amount_cents) AS BIGINT) FROM call_line WHERE call IS NULL GROUP BY insurer ORDER BY insurer

-- name: add_call
-- A call for funds, with the insurer's bank details as they are today.
INSERT INTO call_for_funds (id, run, insurer, amount_cents, state, settlement)
VALUES (:call, :run, :insurer, :amount_cents, 'called', (SELECT settlement FROM insurer WHERE amc = :insurer))

-- name: take_call_lines
-- The lines that call holds.
UPDATE call_line SET call = :call WHERE call IS NULL AND insurer = :insurer

-- name: transfers_chosen
-- How many transfers the run makes.
SELECT count(*) FROM chosen

-- name: runs_of_day
-- How many runs paid what was received until that day.
SELECT count(*) FROM pay_run WHERE received_until = :until

-- name: late
-- Claims due and promised for an earlier day than the one the money leaves.
SELECT count(*), min(pay_by) FROM due WHERE state <> 'cancelled' AND pay_by <> '' AND pay_by < :execute_on

-- name: mark_publishing
-- From now on the bank may take files of the run.
UPDATE pay_run SET state = 'publishing' WHERE id = :run

-- name: mark_written
-- All the files of the run are on disk.
UPDATE pay_run SET state = 'written' WHERE id = :run

-- name: runs
-- The newest runs first.
SELECT id, received_until, execute_on, state, at_ts_us, summary FROM pay_run ORDER BY at_ts_us DESC, id DESC LIMIT :limit

-- name: run
-- One run.
SELECT id, received_until, execute_on, state, at_ts_us, summary FROM pay_run WHERE id = :run

-- name: runs_to_show
-- The runs of a day.
SELECT id, received_until, execute_on, state, at_ts_us, summary FROM pay_run WHERE received_until = :until ORDER BY at_ts_us, id

-- name: unwritten
-- Runs whose files a crash may have left unfinished.
SELECT id, received_until, execute_on, state, at_ts_us, summary FROM pay_run WHERE state IN ('ordered', 'publishing') ORDER BY id

-- name: debtor_of_run
-- The hub's own account as it was.
SELECT debtor FROM pay_run WHERE id = :run

-- name: heads
-- Remittances of a practice, oldest first, after a cursor.
SELECT id, practice, state, executed_on, amount_cents, why FROM remittance
WHERE practice = :practice AND id > :after ORDER BY id LIMIT :limit

-- name: remittance_rows
-- Some remittances of a run with their lines, in order, after the one named.
SELECT r.id, r.practice, r.state, r.executed_on, r.amount_cents, r.why, l.claim, l.invoice, l.kind, l.amount_cents
FROM remittance r JOIN remittance_line l ON l.remittance = r.id WHERE r.run = :run AND r.id > :after
    AND r.id IN (SELECT id FROM remittance WHERE run = :run AND id > :after ORDER BY id LIMIT :limit)
ORDER BY r.id, l.n

-- name: one_remittance_rows
-- One remittance with its lines, in order.
SELECT r.id, r.practice, r.state, r.executed_on, r.amount_cents, r.why, l.claim, l.invoice, l.kind, l.amount_cents
FROM remittance r JOIN remittance_line l ON l.remittance = r.id WHERE r.id = :remittance ORDER BY r.id, l.n

-- name: calls_of_run
-- Calls of a run.
SELECT id, run, insurer, state, amount_cents, why, settlement FROM call_for_funds WHERE run = :run ORDER BY insurer

-- name: one_call
-- One call.
SELECT id, run, insurer, state, amount_cents, why, settlement FROM call_for_funds WHERE id = :call

-- name: call_lines
-- Its lines.
SELECT claim, practice, invoice, amount_cents FROM call_line WHERE call = :call ORDER BY claim

-- name: told_table
-- What the files of a lost run say it `paid`, and `called` insurers for.
CREATE TEMP TABLE told (
    what TEXT NOT NULL, practice TEXT NOT NULL, invoice TEXT NOT NULL, amount_cents BIGINT NOT NULL,
    PRIMARY KEY (what, practice, invoice, amount_cents)
)

-- name: drop_told
-- The scratch table of a run that was not entered.
DROP TABLE IF EXISTS told

-- name: tell
-- One line of them.
INSERT INTO told (what, practice, invoice, amount_cents) VALUES (:what, :practice, :invoice, :amount_cents)

-- name: cancelled_since
-- Claims it paid that are cancelled here and were due as much while they stood: cancelled after the run, and again since.
SELECT c.id FROM told t JOIN claim c ON c.practice = t.practice AND c.invoice = t.invoice
WHERE t.what = 'paid' AND t.amount_cents >= 0 AND c.state = 'cancelled' AND t.amount_cents = c.amc_cents - (
    SELECT CAST(coalesce(sum(l.amount_cents), 0) AS BIGINT) FROM remittance_line l JOIN remittance r ON r.id = l.remittance
    WHERE l.claim = c.id AND r.state <> 'returned')
ORDER BY c.id

-- name: let_stand
-- It stands while the run that paid it is entered.
UPDATE claim SET state = CASE WHEN remittance IS NULL THEN 'accepted' ELSE 'returned' END WHERE id = :claim

-- name: cancel_move
-- And is cancelled again: the next run takes back what it was paid.
INSERT INTO claim_move (claim, n, at_ts_us, move, state, about)
SELECT :claim, 1 + coalesce(max(n), 0), :at_ts_us, 'cancel', 'cancelled', '' FROM claim_move WHERE claim = :claim

-- name: cancel_again
-- The claim itself.
UPDATE claim SET state = 'cancelled' WHERE id = :claim

-- name: leave_untold
-- What is due and was not in that run stays for a later one.
DELETE FROM due WHERE NOT EXISTS (
    SELECT 1 FROM told t WHERE t.what = 'paid'
    AND t.practice = due.practice AND t.invoice = due.invoice AND t.amount_cents = due.amount_cents)

-- name: told_not_due
-- Lines of that run for which nothing is due here: the claim is lost, not cancelled yet, or has another amount.
SELECT practice, count(*) FROM told t
WHERE t.what = 'paid' AND NOT EXISTS (SELECT 1 FROM due d WHERE d.practice = t.practice AND d.invoice = t.invoice)
GROUP BY practice ORDER BY practice

-- name: told_not_called
-- Lines of its calls for which nothing is owed here, or owed back: those claims are not cancelled yet.
SELECT practice, count(*) FROM told t
WHERE t.what = 'called' AND NOT EXISTS (
    SELECT 1 FROM call_line k WHERE k.call IS NULL AND k.practice = t.practice AND k.invoice = t.invoice)
GROUP BY practice ORDER BY practice
