"""Every answer held against the truth: status, exact fields, exact values, and nothing that must never be said."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sim import truth
from sim.accounts import Account, Use
from sim.auditor.book import ACCEPTED, REFUSED, SETTLED, Book, TrueClaim
from sim.auditor.calendar import latest_payment
from sim.auditor.lie import Oath
from sim.exchange import Exchange
from sim.people import Person
from sim.player import Played
from sim.professionals import Professional
from sim.truth import Share
from sim.workload import staff_by_account
from sim.world import World

ID = re.compile(r"(chk|quo|clm|pec)_[0-9A-HJKMNP-TV-Z]{20}")
ENGAGEMENT = re.compile(r"E[0-9]{2}[0-9A-HJKMNP-TV-Z]{13}")
PROBLEM = {"type", "title", "status", "detail", "code", "fix"}
CONFIRMED = {
    "check_id", "outcome", "third_party_payment", "covered_until", "engagement", "convention_type", "csr",
}  # fmt: skip
ACCEPTED_CLAIM = {"claim_id", "status", "amc_cents", "pay_by", "refusals", "lines"}
REFUSED_CLAIM = {"claim_id", "status", "refusals"}
QUOTE = {"quote_id", "engagement", "lines", "total"}
APPROVAL = {"approval_id", "reference", "status", "valid_until", "bill_by", "lines", "total", "refusals"}
AMOUNTS = ("expense_cents", "amo_cents", "amc_cents", "patient_cents")

Json = dict[str, Any]


class Listener:
    """Hears the exchanges of a day in the order they were answered. `today` is the hub's own day."""

    def __init__(self, world: World, today: date) -> None:
        self.world, self.today = world, today
        self.oath = Oath(world.seed)
        self.book = Book()
        self.staff: dict[str, Professional] = staff_by_account(world)
        self.by_nir = {(each.nir, each.birth_date, each.birth_rank): each for each in world.people}
        self.by_member: dict[tuple[str, str, str, int], Person] = {}
        for row in world.contracts:
            person = world.people[row.person]
            self.by_member[row.insurer, row.member_number, person.birth_date, person.birth_rank] = person
        self.engagements: dict[str, tuple[Person, str, str, date]] = {}
        self.seen_ids: set[str] = set()
        self.answers: dict[tuple[int, int], Json] = {}
        self.met: Counter[str] = Counter()  # lines of quotes and claims that something kept from being paid more

    def hear(self, played: Played) -> None:
        """Check one exchange. Raises `Lie` at the first thing that is not true."""
        planned = played.planned
        self.oath.same("status", planned.name, played.status, planned.must.status)
        self._says_nothing_personal(played)
        answer = json.loads(played.answer)
        _HEAR[planned.must.outcome](self, planned, played, answer)
        self.answers[planned.visit, planned.step] = answer

    def _says_nothing_personal(self, played: Played) -> None:
        """No answer repeats the NIR, birth date or member number it was asked with, nor a name."""
        body = played.request if isinstance(played.request, dict) else {}
        asked = body.get("beneficiary") or {}
        for field in ("nir", "birth_date", "member_number"):
            said = str(asked.get(field) or "")
            self.oath.true(
                "answers hold no identity",
                played.planned.name,
                not said or said.encode() not in played.answer,
                f"no {field} in the answer",
            )
        person = played.planned.must.person
        if person >= 0:
            name = self.world.people[person].last_name.lower().encode()
            self.oath.true(
                "answers hold no identity",
                played.planned.name,
                name not in played.answer.lower(),
                "no name in the answer",
            )

    def _fields(self, about: str, found: Json, expected: set[str]) -> None:
        self.oath.same("exact fields", about, set(found), expected)

    def _new_id(self, about: str, found: str, form: re.Pattern[str]) -> None:
        self.oath.true(
            "ids are well formed and new",
            about,
            bool(form.fullmatch(found)) and found not in self.seen_ids,
            "a new id of the contract's form",
            found,
        )
        self.seen_ids.add(found)

    # rights

    def who(self, body: Json) -> Person | None:
        """The person the question means, found as a card would find them."""
        card = body["beneficiary"]
        rest = (card["birth_date"], card["birth_rank"])
        if "nir" in card:
            return self.by_nir.get((card["nir"], *rest))
        return self.by_member.get((body["insurer"], card["member_number"], *rest))

    def about(self, body: Json, domain: str) -> tuple[Person, str, str, date] | None:
        """Whom a quote or a claim is about: person, insurer, domain, day; None for nobody the world knows."""
        if promise := body.get("engagement") or body.get("approval"):
            return self.engagements.get(promise)
        person = self.who(body)
        return (person, body["insurer"], domain, date.fromisoformat(body["lines"][0]["date"])) if person else None

    def check(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A rights check: confirmed exactly when a row of the world is open on that day for that domain."""
        body = played.request
        assert isinstance(body, dict)
        person, day = self.who(body), date.fromisoformat(body["care_date"])
        rows = truth.open_contracts(self.world, person, body["insurer"], body["domain"], day) if person else []
        outcome = "confirmed" if rows else "not_confirmed"
        self.oath.same("the plan knows the world", planned.name, planned.must.outcome, outcome)
        self.oath.same("rights", planned.name, answer["outcome"], outcome)
        self._new_id(planned.name, answer["check_id"], ID)
        if not rows or person is None:
            self._fields(planned.name, answer, {"check_id", "outcome"})
            return
        self._fields(planned.name, answer, CONFIRMED)
        horizon = self.today + timedelta(days=truth.ENGAGEMENT_DAYS)
        until = max(truth.covered_until(self.world, person, row, body["domain"], day, horizon) for row in rows)
        promise = answer["engagement"]
        self._fields(planned.name, promise, {"number", "valid_until"})
        self.oath.same("rights", planned.name, answer["third_party_payment"], True)
        self.oath.same("rights", planned.name, answer["covered_until"], until.isoformat())
        self.oath.same("rights", planned.name, answer["convention_type"], rows[0].convention_type)
        self.oath.same("rights", planned.name, answer["csr"], rows[0].csr)
        self.oath.same("engagements", planned.name, promise["valid_until"], horizon.isoformat())
        self._new_id(planned.name, promise["number"], ENGAGEMENT)
        self.engagements[promise["number"]] = (person, body["insurer"], body["domain"], day)

    # quotes

    def quote(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A quote: each line shared out to the cent, the total their sum, and reasons in words."""
        body = played.request
        assert isinstance(body, dict)
        self._fields(planned.name, answer, QUOTE)
        self._new_id(planned.name, answer["quote_id"], ID)
        self.oath.same("engagements", planned.name, answer["engagement"]["number"], body["engagement"])
        until = self.today + timedelta(days=truth.ENGAGEMENT_DAYS)
        self.book.accounts.quote(body["engagement"], until, self._shared_out(planned, body, answer))

    def _shared_out(self, planned: Exchange, body: Json, answer: Json) -> list[Use]:
        """What the lines use, once all that is said of them is found true."""
        person, insurer, domain, day = self.engagements[body["engagement"]]
        shares = self.shares(person, insurer, domain, body["lines"], body["engagement"], day)
        self.oath.same("quotes", planned.name, len(answer["lines"]), len(shares))
        for sent, share, line in zip(body["lines"], shares, answer["lines"], strict=True):
            about = f"{planned.name} line {sent['line']}"
            self._fields(about, line, {"line", "amo_cents", "amc_cents", "patient_cents", "because"})
            self.oath.same("quotes to the cent", about, line["line"], sent["line"])
            found = Share(line["amo_cents"], line["amc_cents"], line["patient_cents"])
            self.oath.same("quotes to the cent", about, found, share)
            spoken = line["because"]
            self.oath.true(
                "reasons in words",
                about,
                bool(spoken) and all(isinstance(each, str) and each for each in spoken),
                "reasons",
                spoken,
            )
        expense = sum(sent["expense_cents"] for sent in body["lines"])
        total = (expense, sum(s.amo for s in shares), sum(s.amc for s in shares), sum(s.patient for s in shares))
        self.oath.same("quotes to the cent", planned.name, answer["total"], dict(zip(AMOUNTS, total, strict=True)))
        self.oath.same("quotes to the cent", planned.name, sum(total[1:]), expense)
        return [use for share in shares for use in share.uses]

    def approval(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A devis that is right: granted as a quote is shared out, as long as the rights hold."""
        body = played.request
        assert isinstance(body, dict)
        self._fields(planned.name, answer, APPROVAL)
        self._new_id(planned.name, answer["approval_id"], ID)
        uses = self._shared_out(planned, body, answer)
        person, insurer, domain, day = self.engagements[answer["approval_id"]] = self.engagements[body["engagement"]]
        horizon = self.today + timedelta(days=truth.APPROVAL_DAYS)
        rows = truth.open_contracts(self.world, person, insurer, domain, day)
        until = max(truth.covered_until(self.world, person, row, domain, day, horizon) for row in rows)
        bill_by = until + timedelta(days=truth.BILLING_DAYS)
        self.book.accounts.quote(
            body["engagement"], bill_by, []
        )  # the approval takes the place of its engagement's quote
        self.book.accounts.quote(answer["approval_id"], bill_by, uses)
        right = {"status": "granted", "reference": body["reference"], "refusals": []}
        days = {"valid_until": until.isoformat(), "bill_by": bill_by.isoformat()}
        for name, value in (right | days).items():
            self.oath.same("approvals", f"{planned.name} {name}", answer[name], value)

    def shares(
        self, person: Person, insurer: str, domain: str, lines: list[Json], engagement: str, day: date | None
    ) -> list[Share]:
        """Each line shared out under the contracts open on its day, or promised on `day` by the engagement.

        What the lines before it use counts for it; what other quotes hold back counts too, and those of its own do not.
        """
        found: list[Share] = []
        accounts = self.book.accounts

        def known(account: Account) -> list[Use]:
            return accounts.known(account, engagement, self.today) + earlier(account)

        def known_without_quotes(account: Account) -> list[Use]:
            return accounts.used.get(account, []) + earlier(account)

        def earlier(account: Account) -> list[Use]:
            return [use for share in found for use in share.uses if use.account == account]

        for sent in lines:
            care = date.fromisoformat(sent["date"])
            engaged = day or care
            rows = truth.open_contracts(self.world, person, insurer, domain, engaged)
            rows = [row for row in rows if truth.covered_until(self.world, person, row, domain, engaged, care) >= care]
            about = (self.world, person, rows, domain, sent)
            share = truth.share_line(*about, known, engaged)
            if "account" in share.met and truth.share_line(*about, known_without_quotes, engaged).amc > share.amc:
                self.met["another quote"] += 1
            self.met.update(share.met)
            found.append(share)
        return found

    # claims

    def claim(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A claim that is right: accepted for exactly what the insurer owes, to be paid in time."""
        must = planned.must
        self._fields(planned.name, answer, ACCEPTED_CLAIM)
        if must.same_as >= 0:
            self.oath.same("sent twice is one claim", planned.name, answer, self.answers[planned.visit, must.same_as])
            return
        assert isinstance(played.request, dict)
        self._new_id(planned.name, answer["claim_id"], ID)
        if must.ends >= 0:
            self.book.cancel(self.book.claims[self.answers[planned.visit, must.ends]["claim_id"]])
        claim, shares = self._worth(planned, played.request, answer["claim_id"])
        lines = [
            {"line": sent["line"], "amo_cents": share.amo, "amc_cents": share.amc, "patient_cents": share.patient}
            for sent, share in zip(played.request["lines"], shares, strict=True)
        ]
        self.oath.same("claims to the cent", planned.name, answer["lines"], lines)
        self.oath.same("claims", planned.name, answer["status"], ACCEPTED)
        self.oath.same("claims to the cent", planned.name, answer["amc_cents"], claim.cents)
        self.oath.same("claims", planned.name, answer["refusals"], [])
        claim.pay_by = date.fromisoformat(answer["pay_by"])
        last = latest_payment(self.today)
        self.oath.true(
            "paid within seven working days",
            planned.name,
            self.today <= claim.pay_by <= last,
            f"by {last}",
            answer["pay_by"],
        )
        self.book.claims[claim.claim_id] = claim

    def _worth(self, planned: Exchange, body: Json, claim_id: str) -> tuple[TrueClaim, list[Share]]:
        if promise := body.get("engagement") or body.get("approval", ""):
            person, insurer, domain, day = self.engagements[promise]
        else:
            known = self.who(body)
            assert known is not None, "a claim that is right is about someone"
            person, insurer, domain, day = known, body["insurer"], planned.must.domain, None
        shares = self.shares(person, insurer, domain, body["lines"], promise, day)
        cents = sum(share.amc for share in shares)
        practice = self.staff[planned.account].practice.number
        claim = TrueClaim(
            claim_id,
            practice,
            planned.account,
            body["invoice"],
            insurer,
            person.number,
            domain,
            cents,
            ACCEPTED,
            self.today,
            None,
        )
        claim.amo_cents, claim.patient_cents = sum(each.amo for each in shares), sum(each.patient for each in shares)
        claim.uses = tuple(use for share in shares for use in share.uses)
        self.book.accounts.claim(promise, claim.uses)
        return claim, shares

    def refused(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A claim that is wrong: refused, with a reason in words and what mends it, and worth nothing."""
        self._fields(planned.name, answer, REFUSED_CLAIM)
        self._new_id(planned.name, answer["claim_id"], ID)
        self.oath.same("claims", planned.name, answer["status"], REFUSED)
        codes = [each["code"] for each in answer["refusals"]]
        self.oath.true(
            "refusals have their code",
            planned.name,
            any(code in planned.must.codes for code in codes),
            f"one of {planned.must.codes}",
            codes,
        )
        for each in answer["refusals"]:
            spoken = bool(each.get("detail")) and bool(each.get("fix"))
            self.oath.true("refusals can be mended", planned.name, spoken, "a reason and a fix", each)
        assert isinstance(played.request, dict)
        practice = self.staff[planned.account].practice.number
        invoice = played.request["invoice"]
        self.book.claims[answer["claim_id"]] = TrueClaim(
            answer["claim_id"], practice, planned.account, invoice, planned.must.insurer, planned.must.person,
            planned.must.domain, 0, REFUSED, self.today, None,
        )  # fmt: skip

    def cancelled(self, planned: Exchange, _played: Played, answer: Json) -> None:
        """A cancellation: the same claim, cancelled."""
        of_today = self.answers.get((planned.visit, planned.must.ends), {}).get("claim_id", "")
        claim = self.book.claims[planned.must.claim or of_today]
        self.oath.same("cancellations", planned.name, answer["claim_id"], claim.claim_id)
        self.oath.same("cancellations", planned.name, answer["status"], "cancelled")
        self.oath.same("cancellations", planned.name, answer.get("recovery", False), claim.state == SETTLED)
        self.book.cancel(claim)

    def shown(self, planned: Exchange, _played: Played, answer: Json) -> None:
        """A claim looked at: as it stands now, for what it is worth."""
        claim = self.book.claims[self.answers[planned.visit, planned.must.same_as]["claim_id"]]
        self.oath.same("claims shown as they are", planned.name, answer["claim_id"], claim.claim_id)
        self.oath.same("claims shown as they are", planned.name, answer["status"], claim.state)
        self.oath.same("claims shown as they are", planned.name, answer["invoice"], claim.invoice)

    def approval_looked_at(self, planned: Exchange, _played: Played, answer: Json) -> None:
        """An approval shown or cancelled: the same one, in the state it must have. What it held back is free once cancelled."""
        approval = self.answers[planned.visit, planned.must.same_as]
        is_cancelled = planned.must.outcome == "approval_cancelled"
        status = "cancelled" if is_cancelled else "granted"
        right = {name: approval[name] for name in ("approval_id", "reference", "valid_until", "bill_by")}
        for name, value in (right | {"status": status}).items():
            self.oath.same("approvals", f"{planned.name} {name}", answer[name], value)
        if is_cancelled:
            self.book.accounts.quote(approval["approval_id"], self.today, [])

    def listed(self, planned: Exchange, _played: Played, answer: Json) -> None:
        """A page of the practice's own claims or approvals: nobody else's."""
        kind = "claims" if "claims" in planned.path else "approvals"
        self._fields(planned.name, answer, {kind, "next_cursor"})
        if kind == "claims":
            known = [
                self.book.claims[each["claim_id"]] for each in answer[kind] if each["claim_id"] in self.book.claims
            ]
            practice = self.staff[planned.account].practice.number
            self.oath.same(
                "pages hold one's own", planned.name, {claim.practice for claim in known} - {practice}, set()
            )

    def error(self, planned: Exchange, played: Played, answer: Json) -> None:
        """A refusal of the door: problem+json, with its code and what the caller can do."""
        self.oath.same("errors", planned.name, played.content_type.split(";")[0], "application/problem+json")
        self.oath.true(
            "errors",
            planned.name,
            set(answer) >= PROBLEM and set(answer) <= PROBLEM | {"pointer", "instance"},
            "the fields of a problem",
            sorted(answer),
        )
        self.oath.same("errors", planned.name, answer["status"], planned.must.status)
        self.oath.true(
            "errors", planned.name, answer["code"] in planned.must.codes, f"one of {planned.must.codes}", answer["code"]
        )


_HEAR: dict[str, Callable[[Listener, Exchange, Played, Json], None]] = {
    "confirmed": Listener.check,
    "not_confirmed": Listener.check,
    "quoted": Listener.quote,
    "granted": Listener.approval,
    "accepted": Listener.claim,
    "refused": Listener.refused,
    "cancelled": Listener.cancelled,
    "shown": Listener.shown,
    "listed": Listener.listed,
    "approval_shown": Listener.approval_looked_at,
    "approval_cancelled": Listener.approval_looked_at,
    "error": Listener.error,
}
