"""The first schema: insurers, products, directory, feeds, claims, ledger, payments. The same tables on both engines.

Person data is sealed or keyed everywhere; `person` is the insurer's own random-looking reference. Days are ISO text on both,
because the units of work and their SQL are the same on both. Text is compared byte by byte on both: PostgreSQL is told so
(`COLLATE "C"`), since its own order follows the language of the server.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # STRICT tables of SQLite know INTEGER alone; it has 64 bits
STRICT: dict[str, Any] = {"sqlite_strict": True}
BY_KEY: dict[str, Any] = STRICT | {"sqlite_with_rowid": False}  # rows lie in their key's order


def upgrade() -> None:
    """Make every table, index and trigger."""
    parties()
    feeds()
    claims()
    ledger()
    payments()
    calls_for_funds()


def text(name: str, **options: Any) -> Column[Any]:
    """A column of text; never null unless said."""
    return Column(name, TEXT, **({"nullable": False} | options))


def whole(name: str, **options: Any) -> Column[Any]:
    """A column of whole numbers (cents, µs, counts); never null unless said."""
    return Column(name, WHOLE, **({"nullable": False} | options))


def blob(name: str, **options: Any) -> Column[Any]:
    """A column of bytes; never null unless said."""
    return Column(name, sa.LargeBinary, **({"nullable": False} | options))


def key(*columns: str) -> PrimaryKeyConstraint:
    """The primary key."""
    return PrimaryKeyConstraint(*columns)


def index(name: str, table: str, *columns: str, where: str = "", unique: bool = False) -> None:
    """An index; with `where`, of those rows alone, on both engines."""
    only: dict[str, Any] = {f"{engine}_where": sa.text(where) for engine in ("sqlite", "postgresql") if where}
    op.create_index(name, table, [*columns], unique=unique, **only)


def parties() -> None:
    """Who is served, what is guaranteed, who is paid."""
    op.create_table(
        "insurer",
        text("amc"), text("generation", nullable=True), blob("settlement", nullable=True), key("amc"), **BY_KEY,
        comment="Insurers the hub serves; `generation` names the rights that answer now; `settlement` is sealed (IBAN, mandate).",
    )  # fmt: skip
    op.create_table(
        "product",
        text("insurer"), text("product"), text("version"), whole("loaded_ts_us"), blob("body"),
        key("insurer", "product", "version"), **BY_KEY,
        comment="Guarantee tables. A version is immutable, named by its digest; the newest `loaded_ts_us` is the one in force.",
    )  # fmt: skip
    op.create_table(
        "practice",
        text("practice"), blob("payee"), key("practice"), **BY_KEY,
        comment="Practices that can be paid: name, IBAN and BIC, sealed under the hub's key.",
    )  # fmt: skip


def feeds() -> None:
    """Member files, and what they refused."""
    op.create_table(
        "feed",
        text("id"), text("insurer"), text("mode"), text("digest"), text("state"),
        whole("received_ts_us"), whole("finished_ts_us", nullable=True), blob("counts", nullable=True),
        text("generation", nullable=True), text("account"), whole("drop_unknown"), whole("spooled"), key("id"), **BY_KEY,
        comment="Member feeds, one row a file; `digest` (keyed) makes a second sending the same feed.",
    )  # fmt: skip
    index("feed_unfinished", "feed", "state", "id", where="state IN ('received', 'loading')")
    index("feed_digest", "feed", "insurer", "mode", "digest")
    op.create_table(
        "feed_request",
        text("insurer"), blob("key"), blob("body"), text("feed"), key("insurer", "key"), **BY_KEY,
        comment="What an `Idempotency-Key` (keyed) was used for: the same key with another `body` (keyed digest) is refused.",
    )  # fmt: skip
    op.create_table(
        "feed_refusal",
        text("feed"), whole("line"), text("field"), text("code"), text("detail"), text("fix"),
        key("feed", "line", "field", "code"), **BY_KEY,
        comment="Rows a feed refused: where, why, what to do. Never a value of the row.",
    )  # fmt: skip


def claims() -> None:
    """Claims, their lives, and what was used."""
    op.create_table(
        "claim",
        text("id"), text("practice"), text("invoice"), blob("body"), text("insurer", nullable=True),
        blob("person", nullable=True), text("engagement", nullable=True), text("state"), whole("amc_cents"),
        text("received_on"), text("pay_by", nullable=True), text("replaces", nullable=True),
        text("remittance", nullable=True), blob("sealed"), key("id"), **STRICT,
        comment="Claims. `body` is a keyed digest of what was sent (idempotence); `sealed` holds lines, split and member number.",
    )  # fmt: skip
    # An invoice number names one claim of a practice; a refused claim gives its number back, to be mended and sent again.
    index("claim_invoice", "claim", "practice", "invoice", where="state <> 'refused'", unique=True)
    index("claim_refused", "claim", "practice", "invoice", where="state = 'refused'")
    index("claim_of_practice", "claim", "practice", "id")
    index("claim_to_pay", "claim", "state", "practice", where="state = 'accepted'")
    index("claim_remittance", "claim", "remittance", where="remittance IS NOT NULL")
    # Claims a run may have to look at again: returned by the bank, or cancelled after they were ordered.
    again = "remittance IS NOT NULL AND state IN ('returned', 'cancelled')"
    index("claim_to_mend", "claim", "state", "id", where=again)
    op.create_table(
        "claim_move",
        text("claim"), whole("n"), whole("at_ts_us"), text("move"), text("state"), text("about"), key("claim", "n"), **BY_KEY,
        comment="The life of a claim: every move, in order, never changed.",
    )  # fmt: skip
    op.create_table(
        "claim_mark",
        blob("mark"), text("claim"), key("mark", "claim"), **BY_KEY,
        comment="What accepted claims bill, line by line: a keyed digest of practice, person, act, day and amount, to find a "
        "line billed twice.",
    )  # fmt: skip
    op.create_table(
        "used",
        text("insurer"), blob("person"), text("guarantee"), whole("year"), whole("acts"), whole("cents"),
        key("insurer", "person", "guarantee", "year"), **BY_KEY,
        comment="What a person has used of a yearly guarantee; `guarantee` is a keyed name of contract, product and row, `year` "
        "is that of the care.",
    )  # fmt: skip


def ledger() -> None:
    """Postings, which nobody changes or removes."""
    op.create_table(
        "posting",
        whole("entry"), whole("n"), text("account"), whole("amount_cents"), text("because"), text("about"), whole("at_ts_us"),
        key("entry", "n"), **BY_KEY,
        comment="The ledger: postings of one entry sum to zero; nobody changes or removes one.",
    )  # fmt: skip
    index("posting_account", "posting", "account", "entry")
    for sql in FOR_EVER[op.get_bind().dialect.name]:
        op.execute(sql)


# ALWAYS: they fire even for a session that turns triggers off to copy rows (session_replication_role).
FOR_EVER = {
    "sqlite": (
        "CREATE TRIGGER posting_is_for_ever BEFORE UPDATE ON posting BEGIN"
        " SELECT RAISE(ABORT, 'a posting is never changed'); END",
        "CREATE TRIGGER posting_stays BEFORE DELETE ON posting BEGIN"
        " SELECT RAISE(ABORT, 'a posting is never removed'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION posting_is_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'a posting is never %', CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER posting_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON posting"
        " FOR EACH STATEMENT EXECUTE FUNCTION posting_is_for_ever()",
        "ALTER TABLE posting ENABLE ALWAYS TRIGGER posting_is_for_ever",
    ),
}


def payments() -> None:
    """Payment runs, and the transfers they ordered: one transfer is one remittance."""
    op.create_table(
        "pay_run",
        text("id"), text("received_until"), text("execute_on"), text("state"), whole("at_ts_us"),
        blob("debtor"), blob("summary"), key("id"), **BY_KEY,
        comment="Payment runs. `state`: ordered (committed), written (its files too). `debtor` is the hub's own account as it "
        "was, sealed: files made again later are the same bytes. `summary` is what the run reported.",
    )  # fmt: skip
    index("pay_run_of_day", "pay_run", "received_until", "id")
    index("pay_run_unwritten", "pay_run", "id", where="state = 'ordered'")
    op.create_table(
        "remittance",
        text("id"), text("run"), text("practice"), whole("amount_cents"), text("state"), text("executed_on"), blob("payee"),
        text("booked_on", nullable=True), text("returned_on", nullable=True), text("why", server_default=""),
        key("id"), **BY_KEY,
        comment="Transfers ordered. `payee` is the practice's sealed details on that day; `booked_on` is the bank's day, once "
        "seen in a statement (with `why`, if returned).",
    )  # fmt: skip
    index("remittance_of_practice", "remittance", "practice", "id")
    index("remittance_of_run", "remittance", "run", "id")
    op.create_table(
        "remittance_line",
        text("remittance"), whole("n"), text("claim"), text("invoice"), text("kind"), whole("amount_cents"),
        key("remittance", "n"), **BY_KEY,
        comment="What a remittance is made of, claim by claim.",
    )  # fmt: skip
    index("remittance_line_of_claim", "remittance_line", "claim")


def calls_for_funds() -> None:
    """What insurers owe, and bank statements already read."""
    op.create_table(
        "call_for_funds",
        text("id"), text("run"), text("insurer"), whole("amount_cents"), text("state"), blob("settlement", nullable=True),
        text("booked_on", nullable=True), text("returned_on", nullable=True), text("why", server_default=""),
        key("id"), **BY_KEY,
        comment="Calls for funds: what one insurer owes for one run. `settlement` is its sealed details on that day.",
    )  # fmt: skip
    index("call_of_run", "call_for_funds", "run", "id")
    op.create_table(
        "call_line",
        text("run"), text("claim"), text("insurer"), text("practice"), text("invoice"), whole("amount_cents"),
        text("call", nullable=True), key("run", "claim"), **BY_KEY,
        comment="What each claim makes its insurer owe, or gives it back; a line waits (`call` is null) while what is due to the "
        "hub is not above zero.",
    )  # fmt: skip
    index("call_line_of_claim", "call_line", "claim")
    index("call_line_of_call", "call_line", "call", "claim")
    op.create_table(
        "statement",
        text("digest"), whole("at_ts_us"), blob("counts"), key("digest"), **BY_KEY,
        comment="Bank statements already read, so that the same file twice changes nothing.",
    )  # fmt: skip
