-- hub.db: insurers, products, directory, feeds, claims, ledger. Journal-backed engagements live in engagements.db.
-- Person data is sealed or keyed everywhere; `person` is the insurer's own random-looking reference.

-- Insurers the hub serves; `generation` names the file of rights that answers now; `settlement` is sealed (IBAN, mandate).
CREATE TABLE IF NOT EXISTS insurer (
    amc TEXT PRIMARY KEY, generation TEXT, settlement BLOB
) STRICT, WITHOUT ROWID;

-- Guarantee tables. A version is immutable and named by its digest; the newest `loaded_ts_us` is the one in force.
CREATE TABLE IF NOT EXISTS product (
    insurer TEXT NOT NULL, product TEXT NOT NULL, version TEXT NOT NULL, loaded_ts_us INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (insurer, product, version)
) STRICT, WITHOUT ROWID;

-- Practices that can be paid: name, IBAN and BIC, sealed under the hub's key.
CREATE TABLE IF NOT EXISTS practice (
    practice TEXT PRIMARY KEY, payee BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Member feeds, one row a file; `digest` (keyed) makes a second sending the same feed.
CREATE TABLE IF NOT EXISTS feed (
    id TEXT PRIMARY KEY, insurer TEXT NOT NULL, mode TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
    received_ts_us INTEGER NOT NULL, finished_ts_us INTEGER, counts BLOB, generation TEXT,
    account TEXT NOT NULL, drop_unknown INTEGER NOT NULL, spooled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feed_unfinished ON feed (state, id) WHERE state IN ('received', 'loading');
-- What an `Idempotency-Key` (keyed) was used for: the same key with another `body` (keyed digest) is refused.
CREATE TABLE IF NOT EXISTS feed_request (
    insurer TEXT NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL, feed TEXT NOT NULL,
    PRIMARY KEY (insurer, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feed_digest ON feed (insurer, mode, digest);

-- Rows a feed refused: where, why, what to do. Never a value of the row.
CREATE TABLE IF NOT EXISTS feed_refusal (
    feed TEXT NOT NULL, line INTEGER NOT NULL, field TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, fix TEXT NOT NULL,
    PRIMARY KEY (feed, line, field, code)
) STRICT, WITHOUT ROWID;

-- Claims. `body` is a keyed digest of what was sent (idempotence); `sealed` holds lines, split and member number.
CREATE TABLE IF NOT EXISTS claim (
    id TEXT PRIMARY KEY, practice TEXT NOT NULL, invoice TEXT NOT NULL, body BLOB NOT NULL, insurer TEXT, person BLOB,
    engagement TEXT, state TEXT NOT NULL, amc_cents INTEGER NOT NULL, received_on TEXT NOT NULL, pay_by TEXT,
    replaces TEXT, remittance TEXT, sealed BLOB NOT NULL
) STRICT;
-- An invoice number names one claim of a practice; a refused claim gives its number back, so that it can be mended and sent again.
CREATE UNIQUE INDEX IF NOT EXISTS claim_invoice ON claim (practice, invoice) WHERE state <> 'refused';
CREATE INDEX IF NOT EXISTS claim_refused ON claim (practice, invoice) WHERE state = 'refused';
CREATE INDEX IF NOT EXISTS claim_of_practice ON claim (practice, id);
CREATE INDEX IF NOT EXISTS claim_to_pay ON claim (state, practice) WHERE state = 'accepted';
CREATE INDEX IF NOT EXISTS claim_remittance ON claim (remittance) WHERE remittance IS NOT NULL;

-- The life of a claim: every move, in order, never changed.
CREATE TABLE IF NOT EXISTS claim_move (
    claim TEXT NOT NULL, n INTEGER NOT NULL, at_ts_us INTEGER NOT NULL, move TEXT NOT NULL, state TEXT NOT NULL, about TEXT NOT NULL,
    PRIMARY KEY (claim, n)
) STRICT, WITHOUT ROWID;

-- What accepted claims bill, line by line: a keyed digest of practice, person, act, day and amount, to find a line billed twice.
CREATE TABLE IF NOT EXISTS claim_mark (
    mark BLOB NOT NULL, claim TEXT NOT NULL,
    PRIMARY KEY (mark, claim)
) STRICT, WITHOUT ROWID;

-- What a person has used of a yearly guarantee; `guarantee` is a keyed name of contract, product and row, `year` is that of the care.
CREATE TABLE IF NOT EXISTS used (
    insurer TEXT NOT NULL, person BLOB NOT NULL, guarantee TEXT NOT NULL, year INTEGER NOT NULL,
    acts INTEGER NOT NULL, cents INTEGER NOT NULL,
    PRIMARY KEY (insurer, person, guarantee, year)
) STRICT, WITHOUT ROWID;

-- The ledger: postings of one entry sum to zero; nobody changes or removes one.
CREATE TABLE IF NOT EXISTS posting (
    entry INTEGER NOT NULL, n INTEGER NOT NULL, account TEXT NOT NULL, amount_cents INTEGER NOT NULL,
    because TEXT NOT NULL, about TEXT NOT NULL, at_ts_us INTEGER NOT NULL,
    PRIMARY KEY (entry, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS posting_account ON posting (account, entry);
CREATE TRIGGER IF NOT EXISTS posting_is_for_ever BEFORE UPDATE ON posting BEGIN SELECT RAISE(ABORT, 'a posting is never changed'); END;
CREATE TRIGGER IF NOT EXISTS posting_stays BEFORE DELETE ON posting BEGIN SELECT RAISE(ABORT, 'a posting is never removed'); END;

-- Payment runs, and the transfers they ordered: one transfer is one remittance. `state`: ordered (committed), written (its files too).
-- `debtor` is the hub's own account as it was, sealed: files made again later are the same bytes. `summary` is what the run reported.
CREATE TABLE IF NOT EXISTS pay_run (
    id TEXT PRIMARY KEY, received_until TEXT NOT NULL, execute_on TEXT NOT NULL, state TEXT NOT NULL, at_ts_us INTEGER NOT NULL,
    debtor BLOB NOT NULL, summary BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pay_run_of_day ON pay_run (received_until, id);
CREATE INDEX IF NOT EXISTS pay_run_unwritten ON pay_run (id) WHERE state = 'ordered';
-- `payee` is the practice's sealed details on that day; `booked_on` is the bank's day, once seen in a statement (with `why`, if returned).
CREATE TABLE IF NOT EXISTS remittance (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, practice TEXT NOT NULL, amount_cents INTEGER NOT NULL, state TEXT NOT NULL,
    executed_on TEXT NOT NULL, payee BLOB NOT NULL, booked_on TEXT, returned_on TEXT, why TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remittance_of_practice ON remittance (practice, id);
CREATE INDEX IF NOT EXISTS remittance_of_run ON remittance (run, id);
CREATE TABLE IF NOT EXISTS remittance_line (
    remittance TEXT NOT NULL, n INTEGER NOT NULL, claim TEXT NOT NULL, invoice TEXT NOT NULL, kind TEXT NOT NULL, amount_cents INTEGER NOT NULL,
    PRIMARY KEY (remittance, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remittance_line_of_claim ON remittance_line (claim);
-- Claims a run may have to look at again: returned by the bank, or cancelled after they were ordered.
CREATE INDEX IF NOT EXISTS claim_to_mend ON claim (state, id) WHERE remittance IS NOT NULL AND state IN ('returned', 'cancelled');

-- Calls for funds: what one insurer owes for one run. `settlement` is its sealed details on that day.
CREATE TABLE IF NOT EXISTS call_for_funds (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, insurer TEXT NOT NULL, amount_cents INTEGER NOT NULL, state TEXT NOT NULL,
    settlement BLOB, booked_on TEXT, returned_on TEXT, why TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS call_of_run ON call_for_funds (run, id);
-- What each claim makes its insurer owe, or gives it back; a line waits (`call` is null) while what is due to the hub is not above zero.
CREATE TABLE IF NOT EXISTS call_line (
    run TEXT NOT NULL, claim TEXT NOT NULL, insurer TEXT NOT NULL, practice TEXT NOT NULL, invoice TEXT NOT NULL,
    amount_cents INTEGER NOT NULL, call TEXT,
    PRIMARY KEY (run, claim)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS call_line_of_claim ON call_line (claim);
CREATE INDEX IF NOT EXISTS call_line_of_call ON call_line (call, claim);

-- Bank statements already read, so that the same file twice changes nothing.
CREATE TABLE IF NOT EXISTS statement (
    digest TEXT PRIMARY KEY, at_ts_us INTEGER NOT NULL, counts BLOB NOT NULL
) STRICT, WITHOUT ROWID;
