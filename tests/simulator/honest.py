"""A hub that tells the truth because it asks the world: what the auditor must believe, until one thing in it is changed."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sim import truth
from sim.accounts import Account, Accounts, Use
from sim.auditor.answers import Listener
from sim.auditor.papers import Papers
from sim.bank import Order, PaymentFile
from sim.exchange import Exchange, Must, Visit
from sim.player import Played, filled
from sim.world import World

Json = dict[str, Any]


class Honest:
    """Answers as the public contract says, from the world."""

    def __init__(self, world: World, today: date) -> None:
        self.world, self.today = world, today
        self.listener = Listener(world, today)
        self.numbers = itertools.count(1)
        self.engaged: dict[str, tuple[Any, str, str]] = {}
        self.claims: dict[str, Json] = {}
        self.accounts = Accounts()

    def play(self, visits: list[Visit]) -> list[Played]:
        """Every exchange of the visits, answered."""
        played = []
        for visit in visits:
            answers: list[Any] = []
            for planned in visit.exchanges:
                path, body = filled(planned.path, answers), filled(planned.body, answers)
                answer = self.answer(planned, path, body, answers)
                answers.append(answer)
                played.append(as_played(planned, body, answer))
        return played

    def answer(self, planned: Exchange, path: str, body: Any, answers: list[Any]) -> Json:
        must = planned.must
        if must.outcome == "error":
            return {
                "type": "urn:x", "title": "No", "status": must.status, "detail": "no", "code": must.codes[0], "fix": "Do.",
            }  # fmt: skip
        if must.same_as >= 0 and must.outcome == "accepted":
            return dict(answers[must.same_as])
        made = {"check": self.check, "quote": self.quote, "approval": self.approval, "claim": self.claim}
        if planned.call in made:
            return made[planned.call](planned, body, answers)
        if must.outcome == "listed":
            return {path.split("?")[0].split("/")[2]: [], "next_cursor": None}
        if must.outcome.startswith("approval_"):
            return self.looked_at(must, answers[must.same_as])
        claim = self.claims[path.split("/")[3]]
        if planned.call == "cancellation":
            self.cancel(claim)
            return {"claim_id": claim["claim_id"], "status": "cancelled", "refusals": []}
        return {"claim_id": claim["claim_id"], "status": claim["status"], "invoice": claim["invoice"]}

    def check(self, planned: Exchange, body: Json, _answers: list[Any]) -> Json:
        found: Json = {"check_id": self.id("chk"), "outcome": planned.must.outcome}
        if planned.must.outcome == "not_confirmed":
            return found
        person, day = self.listener.who(body), date.fromisoformat(body["care_date"])
        assert person is not None
        rows = truth.open_contracts(self.world, person, body["insurer"], body["domain"], day)
        horizon = self.today + timedelta(days=30)
        until = max(truth.covered_until(self.world, person, row, body["domain"], day, horizon) for row in rows)
        number = "E26" + self.id("x")[-13:]
        self.engaged[number] = (person, body["insurer"], body["domain"])
        return found | {
            "third_party_payment": True, "covered_until": until.isoformat(),
            "engagement": {"number": number, "valid_until": horizon.isoformat()},
            "convention_type": rows[0].convention_type, "csr": rows[0].csr,
        }  # fmt: skip

    def shares(self, planned: Exchange, body: Json) -> list[truth.Share]:
        promise = body.get("engagement") or body.get("approval", "")
        person, insurer, domain = self.engaged.get(promise, (None, "", ""))
        if person is None:
            person, insurer, domain = self.listener.who(body), body["insurer"], planned.must.domain
        found = list[truth.Share]()
        for sent in body["lines"]:
            day = date.fromisoformat(sent["date"])
            rows = truth.open_contracts(self.world, person, insurer, domain, day)

            def known(account: Account) -> list[Use]:
                earlier = [use for share in found for use in share.uses if use.account == account]
                return self.accounts.known(account, promise, self.today) + earlier

            found.append(truth.share_line(self.world, person, rows, domain, sent, known, day))
        return found

    def quote(self, planned: Exchange, body: Json, _answers: list[Any]) -> Json:
        shares = self.shares(planned, body)
        until = self.today + timedelta(days=30)
        self.accounts.quote(body["engagement"], until, used_by(shares))
        lines = lines_of(body, shares)
        total = {name: sum(line[name] for line in lines) for name in ("amo_cents", "amc_cents", "patient_cents")}
        return {
            "quote_id": self.id("quo"), "engagement": {"number": body["engagement"], "valid_until": until.isoformat()},
            "lines": [line | {"because": ["Parce que."]} for line in lines],
            "total": {"expense_cents": sum(sent["expense_cents"] for sent in body["lines"])} | total,
        }  # fmt: skip

    def approval(self, planned: Exchange, body: Json, answers: list[Any]) -> Json:
        uses = used_by(self.shares(planned, body))
        quote, approval = self.quote(planned, body, answers), self.id("pec")
        self.accounts.quote(body["engagement"], self.today, [])  # the approval takes its place
        person, insurer, domain = self.engaged[approval] = self.engaged[body["engagement"]]
        rows = truth.open_contracts(self.world, person, insurer, domain, self.today)
        horizon = self.today + timedelta(days=90)
        until = max(truth.covered_until(self.world, person, row, domain, self.today, horizon) for row in rows)
        self.accounts.quote(approval, until + timedelta(days=30), uses)
        return {
            "approval_id": approval, "reference": body["reference"], "status": "granted", "lines": quote["lines"],
            "total": quote["total"], "refusals": [], "valid_until": until.isoformat(),
            "bill_by": (until + timedelta(days=30)).isoformat(),
        }  # fmt: skip

    def looked_at(self, must: Must, approval: Json) -> Json:
        if must.outcome == "approval_shown":
            return approval
        self.accounts.quote(approval["approval_id"], self.today, [])
        return approval | {"status": "cancelled"}

    def claim(self, planned: Exchange, body: Json, answers: list[Any]) -> Json:
        claim_id = self.id("clm")
        uses: list[Use] = []
        if planned.must.outcome == "refused":
            reasons = [{"code": planned.must.codes[0], "detail": "Non.", "fix": "Corrigez."}]
            answer: Json = {"claim_id": claim_id, "status": "refused", "refusals": reasons}
        else:
            if planned.must.ends >= 0:
                self.cancel(self.claims[answers[planned.must.ends]["claim_id"]])
            shares = self.shares(planned, body)
            uses = used_by(shares)
            self.accounts.claim(body.get("engagement") or body.get("approval", ""), uses)
            answer = {
                "claim_id": claim_id, "status": "accepted", "amc_cents": sum(share.amc for share in shares),
                "pay_by": self.today.isoformat(), "refusals": [], "lines": lines_of(body, shares),
            }  # fmt: skip
        kept = {"claim_id": claim_id, "status": answer["status"], "invoice": body["invoice"], "uses": uses}
        self.claims[claim_id] = kept
        return answer

    def cancel(self, claim: Json) -> None:
        claim["status"] = "cancelled"
        self.accounts.give_back(claim["uses"])

    def id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers):020d}"


def lines_of(body: Json, shares: list[truth.Share]) -> list[Json]:
    return [
        {"line": sent["line"], "amo_cents": share.amo, "amc_cents": share.amc, "patient_cents": share.patient}
        for sent, share in zip(body["lines"], shares, strict=True)
    ]


def used_by(shares: list[truth.Share]) -> list[Use]:
    return [use for share in shares for use in share.uses]


def as_played(planned: Exchange, body: Any, answer: Json) -> Played:
    kind = "application/problem+json" if planned.must.outcome == "error" else "application/json"
    said = json.dumps(answer).encode()
    return Played(planned, 0.0, planned.path, body, None, planned.must.status, kind, said, 1.0)


def papers_of(listener: Listener) -> Papers:
    """The papers of an honest run for the auditor's own book: every practice and insurer, once."""
    by_practice: dict[str, list[Json]] = {}
    by_insurer: dict[str, list[Json]] = {}
    for claim in listener.book.standing():
        line = {"claim_id": claim.claim_id, "invoice": claim.invoice, "amount_cents": claim.cents}
        by_practice.setdefault(claim.practice, []).append(line)
        by_insurer.setdefault(claim.insurer, []).append(line)
    remittances, orders, calls = [], [], []
    for n, (practice, lines) in enumerate(by_practice.items()):
        total = sum(line["amount_cents"] for line in lines)
        if total:
            remittances.append(
                {"remittance_id": f"rem_{n}", "practice": practice, "total_cents": total, "lines": lines}
            )
            orders.append(Order(f"rem-{n}", Decimal(total) / 100, "x", "FR76", "", collected=False))
    for n, (insurer, lines) in enumerate(by_insurer.items()):
        total = sum(line["amount_cents"] for line in lines)
        calls.append({"call_id": f"cff_{n}", "insurer": insurer, "amount_cents": total, "lines": lines})
    amount = sum((order.amount for order in orders), Decimal(0))
    file = PaymentFile("pain.xml", len(orders), amount, ((len(orders), amount),), "FR76", tuple(orders))
    return Papers([file], remittances, calls)
