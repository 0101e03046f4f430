"""The hub's own books, read last and read only: postings that sum to zero, balances and states that the auditor knows."""

from __future__ import annotations

from typing import Any

from sim.auditor import store
from sim.auditor.book import ACCEPTED, CANCELLED, REFUSED, SETTLED, Book
from sim.auditor.lie import Oath
from sim.auditor.papers import Cashier

# All that was ever posted sums to zero.
TOTAL = "SELECT CAST(coalesce(sum(amount_cents), 0) AS BIGINT) FROM posting"
# Entries that do not sum to zero: there must be none.
UNBALANCED = "SELECT count(*) FROM (SELECT entry FROM posting GROUP BY entry HAVING sum(amount_cents) <> 0) AS wrong"
# The balance of every account.
BALANCES = "SELECT account, CAST(sum(amount_cents) AS BIGINT) FROM posting GROUP BY account"
# Every claim and how it stands.
CLAIMS = "SELECT id, practice, invoice, insurer, state, amc_cents FROM claim"


def check(hub: str, book: Book, cashier: Cashier, oath: Oath) -> None:
    """Hold the ledger and claims of the hub's store against the auditor's book. Raises `Lie`."""
    oath.same("the ledger sums to zero", "ledger", store.rows(hub, TOTAL), [(0,)])
    oath.same("every entry sums to zero", "ledger", store.rows(hub, UNBALANCED), [(0,)])
    check_claims({row[0]: row[1:] for row in store.rows(hub, CLAIMS)}, book, oath)
    check_balances(dict(store.rows(hub, BALANCES)), book, cashier, oath)


def check_claims(found: dict[str, tuple[Any, ...]], book: Book, oath: Oath) -> None:
    """The hub holds exactly the claims it answered about, each in its state, for its amount."""
    oath.same("no claim appears or is lost", "claims", sorted(found), sorted(book.claims))
    for claim in book.claims.values():
        practice, invoice, insurer, state, cents = found[claim.claim_id]
        mine = (claim.practice, claim.invoice, claim.cents)
        oath.same("claims stand as they must", claim.claim_id, (practice, invoice, cents), mine)
        # A claim worth nothing has nothing to be paid: whether a run took it along is not told by the contract.
        free = not claim.cents and claim.state in (ACCEPTED, SETTLED)
        if not free:
            oath.same("claims stand as they must", claim.claim_id, state, claim.state)
        if claim.state != REFUSED:  # one refused under an engagement nobody gave is about no insurer
            oath.same("claims stand as they must", claim.claim_id, insurer, claim.insurer)


def check_balances(balances: dict[str, int], book: Book, cashier: Cashier, oath: Oath) -> None:
    """What the hub says it owes each practice is what the book says, and the same for insurers."""
    owed: dict[str, int] = {}
    for claim in book.claims.values():
        owed[claim.practice] = owed.get(claim.practice, 0) + cashier.due(claim)
    for practice, cents in owed.items():
        oath.same("balances", f"practice {practice}", balances.get(f"practice:{practice}", 0), -cents)
    due: dict[str, int] = {}
    for claim in book.claims.values():
        if claim.state != CANCELLED:
            due[claim.insurer] = due.get(claim.insurer, 0) + claim.cents
    for insurer, cents in due.items():
        left = cents - cashier.funded.get(insurer, 0)
        oath.same("balances", f"insurer {insurer}", balances.get(f"insurer:{insurer}", 0), left)
