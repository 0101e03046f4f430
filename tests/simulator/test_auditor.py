"""The auditor believes an honest hub, and sees each lie as soon as one thing is changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from honest import Honest, Json, papers_of

from sim import bank
from sim.accounts import Accounts, Held, Use
from sim.auditor import privacy
from sim.auditor.answers import Listener
from sim.auditor.lie import Lie, Oath
from sim.auditor.papers import Cashier, Papers
from sim.exchange import Visit
from sim.player import Played
from sim.world import World


@pytest.fixture(scope="module")
def played(small: World, visits: list[Visit]) -> list[Played]:
    return Honest(small, small.day).play(visits)


def heard(world: World, played: list[Played]) -> Listener:
    listener = Listener(world, world.day)
    for each in played:
        listener.hear(each)
    return listener


def test_an_honest_hub_is_believed(small: World, played: list[Played]) -> None:
    listener = heard(small, played)
    assert listener.oath.held["claims to the cent"] > 100
    assert len(listener.book.standing()) > 100


Change = Callable[[Json], None]


def cents(line: Json, name: str) -> None:
    line[name] += 1


LIES: list[tuple[str, str, str, Change]] = [
    ("a confirmation for nobody", "check", "not_confirmed", lambda said: said.update(outcome="confirmed")),
    ("a refusal of a right", "check", "confirmed", lambda said: said.update(outcome="not_confirmed")),
    ("a reason that must not be told", "check", "not_confirmed", lambda said: said.update(reason="rights_closed")),
    ("a null field that says something", "check", "not_confirmed", lambda said: said.update(engagement=None)),
    ("a field more than the contract", "check", "confirmed", lambda said: said.update(member="x")),
    ("another end of rights", "check", "confirmed", lambda said: said.update(covered_until="2026-11-30")),
    ("another convention", "check", "confirmed", lambda said: said.update(csr="9999")),
    ("a cent of a quote", "quote", "quoted", lambda said: cents(said["lines"][0], "amc_cents")),
    ("a total that is not the sum", "quote", "quoted", lambda said: cents(said["total"], "patient_cents")),
    ("no reason", "quote", "quoted", lambda said: said["lines"][0].update(because=[])),
    ("a cent of an approval", "approval", "granted", lambda said: cents(said["lines"][0], "amc_cents")),
    ("an approval for longer", "approval", "granted", lambda said: said.update(valid_until="2027-02-23")),
    ("an approval that waits", "approval", "granted", lambda said: said.update(status="asked")),
    ("a cent of a claim", "claim", "accepted", lambda said: cents(said, "amc_cents")),
    ("a cent of a claim's line", "claim", "accepted", lambda said: cents(said["lines"][0], "amo_cents")),
    ("money as a text", "claim", "accepted", lambda said: said.update(amc_cents=str(said["amc_cents"]))),
    ("a claim paid late", "claim", "accepted", lambda said: said.update(pay_by="2026-12-09")),
    ("a claim that waits", "claim", "accepted", lambda said: said.update(status="received")),
    ("another reason", "claim", "refused", lambda said: said["refusals"][0].update(code="other")),
    ("no way to mend", "claim", "refused", lambda said: said["refusals"][0].update(fix="")),
    ("a wrong claim accepted", "claim", "refused", lambda said: said.update(status="accepted")),
    ("a cancellation of another", "cancellation", "cancelled", lambda said: said.update(claim_id="clm_x")),
    ("a cancelled claim shown as accepted", "show", "shown", lambda said: said.update(status="received")),
    ("an error without a fix", "check", "error", lambda said: said.pop("fix")),
    ("an error with another code", "check", "error", lambda said: said.update(code="teapot")),
]  # fmt: skip


@pytest.mark.parametrize(("call", "outcome", "change"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_lie_in_an_answer_is_seen(
    small: World, played: list[Played], call: str, outcome: str, change: Change
) -> None:
    place, true = next(
        (n, each) for n, each in enumerate(played) if (each.planned.call, each.planned.must.outcome) == (call, outcome)
    )
    said = json.loads(true.answer)
    change(said)
    false = replace(true, answer=json.dumps(said).encode())
    with pytest.raises(Lie, match="seed 7"):
        heard(small, [*played[:place], false, *played[place + 1 :]])


class ForgetsQuotes(Accounts):
    """Promises the same euro twice."""

    def quote(self, engagement: str, until: date, uses: Iterable[Use]) -> None:
        """Hold nothing back."""


class KeepsQuotes(Accounts):
    """Lets two quotes under one engagement hold back."""

    def quote(self, engagement: str, until: date, uses: Iterable[Use]) -> None:
        """Hold these back beside what the engagement held."""
        for use in uses:
            self.held.setdefault(use.account, []).append(Held(engagement, until, use))


class ReleasesNothing(Accounts):
    """Counts what a quote promised a second time when it is billed."""

    def claim(self, engagement: str, uses: Iterable[Use]) -> None:
        """Use these, and go on holding back the same."""
        super().claim("", uses)


class ForgetsClaims(Accounts):
    """Pays as if nothing had been used."""

    def claim(self, engagement: str, uses: Iterable[Use]) -> None:
        """Count nothing."""

    def give_back(self, uses: Iterable[Use]) -> None:
        """Nothing was counted."""


@pytest.mark.parametrize("accounts", [ForgetsQuotes, KeepsQuotes, ReleasesNothing, ForgetsClaims])
def test_a_hub_that_counts_wrongly_is_seen(small: World, visits: list[Visit], accounts: type[Accounts]) -> None:
    hub = Honest(small, small.day)
    hub.accounts = accounts()
    with pytest.raises(Lie, match="to the cent"):
        heard(small, hub.play(visits))


def test_an_engagement_given_twice_is_seen(small: World, played: list[Played]) -> None:
    first, second = [n for n, each in enumerate(played) if each.planned.must.outcome == "confirmed"][:2]
    said = json.loads(played[second].answer)
    said["engagement"] = json.loads(played[first].answer)["engagement"]
    false = replace(played[second], answer=json.dumps(said).encode())
    with pytest.raises(Lie, match="ids are well formed and new"):
        heard(small, [*played[:second], false])


def test_a_wrong_status_is_seen(small: World, played: list[Played]) -> None:
    place = next(n for n, each in enumerate(played) if each.status == 200)
    with pytest.raises(Lie, match="expected 200, found 500"):
        heard(small, [*played[:place], replace(played[place], status=500)])


@pytest.mark.parametrize("field", ["nir", "birth_date"])
def test_an_answer_that_repeats_the_card_is_seen(small: World, played: list[Played], field: str) -> None:
    true = next(each for each in played if each.planned.must.outcome == "not_confirmed" and "nir" in asked(each))
    false = replace(true, answer=true.answer[:-1] + f', "x": "{asked(true)[field]}"}}'.encode())
    with pytest.raises(Lie, match="hold no identity"):
        heard(small, [false])


def asked(played: Played) -> Json:
    assert isinstance(played.request, dict)
    found: Json = played.request["beneficiary"]
    return found


# papers

PAPER_LIES: list[tuple[str, Callable[[Papers], None]]] = [
    ("a remittance without one of its lines", lambda papers: lost(papers.remittances[0]["lines"])),
    ("a cent of a line", lambda papers: cents(papers.remittances[0]["lines"][0], "amount_cents")),
    ("a cent of a remittance", lambda papers: cents(papers.remittances[0], "total_cents")),
    ("a remittance that is missing", lambda papers: papers.remittances.pop()),
    ("another practice's remittance", lambda papers: papers.remittances[0].update(practice="370000000")),
    ("a line of another invoice", lambda papers: papers.remittances[0]["lines"][0].update(invoice="other")),
    ("a transfer of another amount", lambda papers: dearer(papers)),
    ("a control sum", lambda papers: papers.payments.__setitem__(0, replace(papers.payments[0], total=Decimal(1)))),
    ("a call without one of its lines", lambda papers: lost(papers.calls[0]["lines"])),
    ("a cent of a call", lambda papers: cents(papers.calls[0], "amount_cents")),
    ("a call that is missing", lambda papers: papers.calls.pop()),
]  # fmt: skip


def lost(lines: list[Json]) -> None:
    lines.remove(next(line for line in lines if line["amount_cents"]))


def dearer(papers: Papers) -> None:
    file = papers.payments[0]
    orders = (replace(file.orders[0], amount=file.orders[0].amount + Decimal("0.01")), *file.orders[1:])
    total = file.total + Decimal("0.01")
    papers.payments[0] = replace(file, orders=orders, total=total, parts=((len(orders), total),))


def test_honest_papers_are_believed(small: World, played: list[Played]) -> None:
    listener = heard(small, played)
    Cashier(listener.oath, listener.book).run(papers_of(listener))
    assert listener.oath.held["practices are paid what they are owed"] > 10


@pytest.mark.parametrize("change", [lie[1] for lie in PAPER_LIES], ids=[lie[0] for lie in PAPER_LIES])
def test_a_lie_in_a_paper_is_seen(small: World, played: list[Played], change: Callable[[Papers], Any]) -> None:
    listener = heard(small, played)
    papers = copy.deepcopy(papers_of(listener))
    change(papers)
    with pytest.raises(Lie):
        Cashier(listener.oath, listener.book).run(papers)


def test_what_was_paid_is_not_paid_again(small: World, played: list[Played]) -> None:
    listener = heard(small, played)
    cashier = Cashier(listener.oath, listener.book)
    papers = papers_of(listener)
    cashier.run(papers)
    with pytest.raises(Lie):
        cashier.run(papers)


# privacy

NIR_FORMS = ["ascii", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("encoding", NIR_FORMS)
@pytest.mark.parametrize("kind", ["nir", "birth_date", "last_name"])
def test_a_leak_is_found_in_any_encoding(small: World, tmp_path: Path, kind: str, encoding: str) -> None:
    person = next(each for each in small.people if each.age > 30 and each.last_name.isascii())
    (tmp_path / "hub.db").write_bytes(b"\x00\x01before" + str(getattr(person, kind)).encode(encoding) + b"after\x02")
    with pytest.raises(Lie, match="nothing of anyone"):
        privacy.search(small, [tmp_path], Oath(small.seed))


@pytest.mark.parametrize("before", [b"", b"x", b"xy"])
def test_a_nir_in_base64_or_hexadecimal_is_found(small: World, tmp_path: Path, before: bytes) -> None:
    import base64

    nir = small.people[0].nir.encode()
    for number, leak in enumerate((base64.b64encode(before + nir + b"zz"), (before + nir).hex().encode())):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "log").write_bytes(b"line " + leak + b"\n")
        with pytest.raises(Lie):
            privacy.search(small, [place], Oath(small.seed))


@pytest.mark.parametrize(("before", "after"), [("clm_06H0QZ", "KT "), ("9f1c0de2b7a", "e53bf0 "), ("9f1c0de2b7", " ")])
def test_an_id_or_a_digest_that_happens_to_hold_a_day_is_no_birth_date(
    small: World, tmp_path: Path, before: str, after: str
) -> None:
    day = next(each.birth_date for each in small.people if each.age > 30).replace("-", "")
    (tmp_path / "hub.db").write_bytes(f"{before}{day}{after}{'x'.join(day)}".encode())
    privacy.search(small, [tmp_path], Oath(small.seed))


@pytest.mark.parametrize(("before", "after"), [("key|", "|1"), ("PHAR", "SV"), ("\x17", "med"), ("", "")])
def test_a_compact_birth_date_is_found(small: World, tmp_path: Path, before: str, after: str) -> None:
    """Beside the text of another column, too: SQLite writes them one after the other."""
    day = next(each.birth_date for each in small.people if each.age > 30).replace("-", "")
    (tmp_path / "hub.db").write_bytes(f"{before}{day}{after}".encode())
    with pytest.raises(Lie):
        privacy.search(small, [tmp_path], Oath(small.seed))


def test_clean_files_are_clean(small: World, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(
        b'{"at": "2026-11-24T10:00:00Z", "claim": "clm_01J0ZX4T5V6W7X8Y9Z0A", "cents": 123456789012}'
    )
    privacy.search(small, [tmp_path], Oath(small.seed))


# bank

PAIN = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><NbOfTxs>2</NbOfTxs><CtrlSum>30.25</CtrlSum></GrpHdr>
<PmtInf><PmtMtd>TRF</PmtMtd><NbOfTxs>2</NbOfTxs><CtrlSum>30.25</CtrlSum><DbtrAcct><Id><IBAN>FR7699</IBAN></Id></DbtrAcct>
<CdtTrfTxInf><PmtId><EndToEndId>rem-1</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">10.00</InstdAmt></Amt>
<Cdtr><Nm>A</Nm></Cdtr><CdtrAcct><Id><IBAN>FR1</IBAN></Id></CdtrAcct></CdtTrfTxInf>
<CdtTrfTxInf><PmtId><EndToEndId>rem-2</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">20.25</InstdAmt></Amt>
<Cdtr><Nm>B</Nm></Cdtr><CdtrAcct><Id><IBAN>FR2</IBAN></Id></CdtrAcct></CdtTrfTxInf>
</PmtInf></CstmrCdtTrfInitn></Document>"""


def test_the_bank_books_every_order_and_returns_some(small: World, tmp_path: Path) -> None:
    path = tmp_path / "pain.xml"
    path.write_text(PAIN)
    file = bank.read_payment_file(path)
    assert [(each.reference, each.cents) for each in file.orders] == [("rem-1", 1000), ("rem-2", 2025)]
    statement, back = bank.statement([file], 1, small.day)
    assert (statement, back) == bank.statement([file], 1, small.day)
    assert len(back) == 1
    assert statement.count(b"<Ntry>") == 3
    assert statement.count(b"<Cd>AC04</Cd>") == 1
