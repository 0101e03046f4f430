"""A hub that tells the truth because it asks the world: what the auditor must believe, until one thing in it is changed."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sim import truth
from sim.auditor.answers import Listener
from sim.auditor.papers import Papers
from sim.bank import Order, PaymentFile
from sim.exchange import Exchange, Visit
from sim.player import Played, filled
from sim.truth import Consumed
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
        self.used = Consumed()

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
        claim = self.claims[path.split("/")[3]]
        if planned.call == "cancellation":
            claim["status"] = "cancelled"
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

    def shares(self, planned: Exchange, body: Json, used: Consumed) -> list[Json]:
        promise = body.get("engagement") or body.get("approval", "")
        person, insurer, domain = self.engaged.get(promise, (None, "", ""))
        if person is None:
            person, insurer, domain = self.listener.who(body), body["insurer"], planned.must.domain
        lines = []
        for sent in body["lines"]:
            day = date.fromisoformat(sent["date"])
            rows = truth.open_contracts(self.world, person, insurer, domain, day)
            share = truth.share_line(self.world, person, rows, domain, sent, used, keep=True)
            amounts = {"amo_cents": share.amo, "amc_cents": share.amc, "patient_cents": share.patient}
            lines.append({"line": sent["line"]} | amounts)
        return lines

    def quote(self, planned: Exchange, body: Json, _answers: list[Any]) -> Json:
        lines = self.shares(planned, body, Consumed())
        total = {name: sum(line[name] for line in lines) for name in ("amo_cents", "amc_cents", "patient_cents")}
        engagement = {"number": body["engagement"], "valid_until": (self.today + timedelta(days=30)).isoformat()}
        return {
            "quote_id": self.id("quo"), "engagement": engagement,
            "lines": [line | {"because": ["Parce que."]} for line in lines],
            "total": {"expense_cents": sum(sent["expense_cents"] for sent in body["lines"])} | total,
        }  # fmt: skip

    def approval(self, planned: Exchange, body: Json, answers: list[Any]) -> Json:
        quote, approval = self.quote(planned, body, answers), self.id("pec")
        person, insurer, domain = self.engaged[approval] = self.engaged[body["engagement"]]
        rows = truth.open_contracts(self.world, person, insurer, domain, self.today)
        horizon = self.today + timedelta(days=90)
        until = max(truth.covered_until(self.world, person, row, domain, self.today, horizon) for row in rows)
        return {
            "approval_id": approval, "reference": body["reference"], "status": "granted", "lines": quote["lines"],
            "total": quote["total"], "refusals": [], "valid_until": until.isoformat(),
            "bill_by": (until + timedelta(days=30)).isoformat(),
        }  # fmt: skip

    def claim(self, planned: Exchange, body: Json, answers: list[Any]) -> Json:
        claim_id = self.id("clm")
        if planned.must.outcome == "refused":
            reasons = [{"code": planned.must.codes[0], "detail": "Non.", "fix": "Corrigez."}]
            answer: Json = {"claim_id": claim_id, "status": "refused", "refusals": reasons}
        else:
            if planned.must.ends >= 0:
                self.claims[answers[planned.must.ends]["claim_id"]]["status"] = "cancelled"
            lines = self.shares(planned, body, self.used)
            cents = sum(line["amc_cents"] for line in lines)
            answer = {
                "claim_id": claim_id, "status": "accepted", "amc_cents": cents, "pay_by": self.today.isoformat(),
                "refusals": [], "lines": lines,
            }  # fmt: skip
        self.claims[claim_id] = {"claim_id": claim_id, "status": answer["status"], "invoice": body["invoice"]}
        return answer

    def id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers):020d}"


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
