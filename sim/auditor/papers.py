"""Papers and money: every remittance is its transfer and the sum of its lines; calls are the claims of the insurer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.auditor.book import ACCEPTED, CANCELLED, RETURNED, SETTLED, Book, TrueClaim
from sim.auditor.lie import Oath
from sim.bank import PaymentFile

Paper = dict[str, Any]


def sums(lines: list[Paper]) -> dict[str, int]:
    """Cents by claim, those that come to nothing left out: a call may hold what waited and what gives it back."""
    found: dict[str, int] = {}
    for line in lines:
        found[line["claim_id"]] = found.get(line["claim_id"], 0) + line["amount_cents"]
    return {claim: cents for claim, cents in found.items() if cents}


@dataclass
class Papers:
    """What a payment run made: payment files, remittances and calls, as they lie in the hub's `out`."""

    payments: list[PaymentFile]
    remittances: list[Paper]
    calls: list[Paper]


def read_papers(folder: Path) -> tuple[list[Paper], list[Paper]]:
    """The remittances and calls for funds that were written as JSON under `folder`."""
    return read_all(folder / "remittances"), read_all(folder / "calls")


def read_all(folder: Path) -> list[Paper]:
    """Every JSON paper under `folder`, in order of name."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))]


class Cashier:
    """Checks each payment run against the book, and remembers what was already ordered and called."""

    def __init__(self, oath: Oath, book: Book) -> None:
        self.oath, self.book = oath, book
        self.ordered: dict[str, int] = {}  # cents ordered and not come back, by claim
        self.called: dict[str, int] = {}  # cents called, by claim
        self.paid: dict[str, list[str]] = {}  # claims of each remittance, by its reference at the bank
        self.funded: dict[str, int] = {}  # cents that came from each insurer
        self.insurer_of: dict[str, str] = {}  # insurer of each call, by its reference at the bank
        self.recovered: dict[str, dict[str, int]] = {}  # cents of each claim of a remittance

    def due(self, claim: TrueClaim) -> int:
        """What is due for one claim: what it is worth while it stands, less what was ordered."""
        owed = 0 if claim.state == CANCELLED else claim.cents
        return owed - self.ordered.get(claim.claim_id, 0)

    def run(self, papers: Papers) -> None:
        """One payment run: all that was due is paid, once, to whom it is due. Raises `Lie`."""
        expected = self._expected_by_practice()
        transfers = {each.reference: each for file in papers.payments for each in file.orders if not each.collected}
        self._payment_files(papers.payments)
        self.oath.same("one transfer is one remittance", "run", len(papers.remittances), len(transfers))
        for paper in papers.remittances:
            self._remittance(paper, expected, transfers)
        left = {practice: lines for practice, lines in expected.items() if sum(lines.values()) > 0}
        self.oath.same("everything due is paid", "run", left, {})
        self._calls(papers)

    def _expected_by_practice(self) -> dict[str, dict[str, int]]:
        expected: dict[str, dict[str, int]] = {}
        for claim in self.book.claims.values():
            if due := self.due(claim):
                expected.setdefault(claim.practice, {})[claim.claim_id] = due
        return expected

    def _payment_files(self, files: list[PaymentFile]) -> None:
        for file in files:
            amounts = [each.amount for each in file.orders]
            self.oath.same("payment files add up", file.name, file.count, len(amounts))
            self.oath.same("payment files add up", file.name, file.total, sum(amounts))
            self.oath.same("payment files add up", file.name, sum(count for count, _ in file.parts), len(amounts))
            self.oath.same("payment files add up", file.name, sum(total for _, total in file.parts), file.total)

    def _remittance(self, paper: Paper, expected: dict[str, dict[str, int]], transfers: dict[str, Any]) -> None:
        about, practice = f"remittance {paper['remittance_id']}", paper["practice"]
        lines = {line["claim_id"]: line["amount_cents"] for line in paper["lines"]}
        self.oath.same("a claim stands once in a remittance", about, len(lines), len(paper["lines"]))
        self.oath.same("a remittance is the sum of its lines", about, sum(lines.values()), paper["total_cents"])
        paid = {claim: cents for claim, cents in lines.items() if cents}
        self.oath.same("practices are paid what they are owed", about, paid, expected.pop(practice, {}))
        for line in paper["lines"]:
            claim = self.book.claims[line["claim_id"]]
            self.oath.same("remittances name their claims", about, line["invoice"], claim.invoice)
        reference = self._transfer_of(paper, transfers)
        self.oath.true("one transfer is one remittance", about, reference is not None, "its transfer in a payment file")
        assert reference is not None
        self.oath.same("one transfer is one remittance", about, transfers[reference].cents, paper["total_cents"])
        self.paid[reference] = list(lines)
        self.recovered[reference] = lines
        for claim_id, cents in lines.items():
            self.ordered[claim_id] = self.ordered.get(claim_id, 0) + cents
            if self.book.claims[claim_id].state == RETURNED:
                self.book.claims[claim_id].state = ACCEPTED

    @staticmethod
    def _transfer_of(paper: Paper, transfers: dict[str, Any]) -> str | None:
        wanted = paper["remittance_id"].replace("_", "-")
        return next((each for each in transfers if each.replace("_", "-") == wanted), None)

    def _calls(self, papers: Papers) -> None:
        expected: dict[str, dict[str, int]] = {}
        for claim in self.book.claims.values():
            if claim.claim_id not in self.ordered:
                continue  # its practice waits until what it owes is recovered: its insurer is called when it is paid
            owed = 0 if claim.state == CANCELLED else claim.cents
            if due := owed - self.called.get(claim.claim_id, 0):
                expected.setdefault(claim.insurer, {})[claim.claim_id] = due
        for paper in papers.calls:
            about = f"call for funds {paper['call_id']}"
            lines = sums(paper["lines"])
            self.oath.same("a call is the sum of its lines", about, sum(lines.values()), paper["amount_cents"])
            self.oath.same("insurers are called for what they owe", about, lines, expected.pop(paper["insurer"], {}))
            for claim_id, cents in lines.items():
                self.called[claim_id] = self.called.get(claim_id, 0) + cents
        left = {insurer: lines for insurer, lines in expected.items() if sum(lines.values()) > 0}
        self.oath.same("every insurer is called for what it owes", "run", left, {})
        collected = {
            each.reference.replace("_", "-"): each for f in papers.payments for each in f.orders if each.collected
        }
        for paper in papers.calls:
            direct = collected.pop(paper["call_id"].replace("_", "-"), None)
            self.insurer_of[paper["call_id"].replace("_", "-")] = paper["insurer"]
            if direct is not None:
                self.oath.same("a direct debit is its call", paper["call_id"], direct.cents, paper["amount_cents"])
        self.oath.same("a direct debit is its call", "run", sorted(collected), [])

    def read_statement(self, files: list[PaymentFile], back: set[str], reading: Paper) -> None:
        """The bank booked every order; those in `back` were returned, and their debt is open again."""
        orders = [each for file in files for each in file.orders]
        collected = sum(each.collected for each in orders)
        counts = {"settled": len(orders) - collected, "returned": len(back), "funded": collected}
        expected = {verdict: count for verdict, count in counts.items() if count}
        self.oath.same("the bank statement is understood", "statement", reading["counts"], expected)
        self.oath.same("the bank statement is understood", "statement", reading["listed"], [])
        for each in [one for file in files for one in file.orders if one.collected]:
            insurer = self.insurer_of[each.reference.replace("_", "-")]
            self.funded[insurer] = self.funded.get(insurer, 0) + each.cents
        for reference in [each.reference for file in files for each in file.orders if not each.collected]:
            for claim_id in self.paid[reference]:
                claim = self.book.claims[claim_id]
                if claim.state != CANCELLED:
                    claim.state = RETURNED if reference in back else SETTLED
            if reference in back:
                for claim_id, cents in self.recovered[reference].items():
                    self.ordered[claim_id] -= cents
