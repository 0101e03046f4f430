"""What a stolen login was promised is anybody's again once an operator withdraws it; nothing else does, and once is enough."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ecluse.app.ports import HUB
from ecluse.app.withdrawing import Kept, withdraw
from ecluse.claims.promise import Theft
from ecluse.gate.signals import Step
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import Refused
from tests.commands import Begun
from tests.journal import entries_in
from tests.journeys.claims_hub import DOCTOR, OTHER_PRACTICE, ClaimsHub, claim, played
from tests.journeys.devis import TABLE, aid, cancelled, crown, equip, implant, shown
from tests.journeys.site import AMC, Site, question, today
from tests.journeys.stolen import THIEF, approve, at_us, checked, held, quarantine, quote, withdrawn
from tests.stores import VARIABLE, Books

COLLEAGUE = "rpps:10000000027"
WHO = ("--operator", "A. Martin", "--reason", "carte volée")
MANY = 60
CENTS = 60_000  # of the year


@pytest.fixture
def town(tmp_path: Path, store_url: str) -> Iterator[Site]:
    """A hub that serves one member, whose implants are paid 600 € a year."""
    made = Site(tmp_path / "hub", **{VARIABLE: store_url})
    made.make()
    (tmp_path / "dental.yaml").write_text(TABLE.replace("responsible: true", "responsible: false"))
    made.run("product", "load", str(tmp_path / "dental.yaml"), "--insurer", AMC)
    made.load([{"product": "D", "domains": "DENT", "responsible": "false"}])
    made.start()
    yield made
    made.stop()


def told(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def engaged(client: httpx.Client) -> str:
    return str(told(client, "/v1/rights/checks", question(domain="DENT"))["engagement"]["number"])


def ask_many(site: Site, count: int) -> tuple[httpx.Client, list[str]]:
    """Approvals of another practice's stolen login, for all that the year has left together."""
    thief = site.client(site.token(THIEF, practice=OTHER_PRACTICE))
    about, lines = engaged(thief), [implant(CENTS // count, date=today())]
    asked = [
        told(thief, "/v1/approvals", {"engagement": about, "reference": f"X{n}", "lines": lines}) for n in range(count)
    ]
    assert {each["status"] for each in asked} == {"granted"}
    return thief, [each["approval_id"] for each in asked]


def of_the_act(entries: list[Entry]) -> list[Entry]:
    return [each for each in entries if each.operation is Operation.PROMISE_WITHDRAWN]


def test_the_honest_practice_pays_its_patient_again(town: Site) -> None:
    since = datetime.now(UTC).isoformat()
    thief, (stolen,) = ask_many(town, 1)
    honest, line = town.client(), implant(CENTS, date=today())
    quoted = {"engagement": engaged(honest), "lines": [line]}
    command = ("gate", "withdraw", THIEF, "--since", since, *WHO)

    refused = town.run(*command, check=False)
    assert (refused.returncode, refused.stderr.split(":")[0]) == (2, "withdrawal_refused")
    town.run("gate", "contain", THIEF, "quarantined", *WHO)
    assert told(honest, "/v1/quotes", quoted)["total"]["amc_cents"] == 0, "a quarantine alone frees nothing"

    foreseen = town.json(*command, "--dry-run")
    assert told(honest, "/v1/quotes", quoted)["total"]["amc_cents"] == 0, "nothing was changed"
    assert of_the_act(entries_in(town.directory / "journal")) == []
    done = town.json(*command)
    freed = {"insurer": AMC, "cancelled": 1, "rests": 0, "quotes": 0, "acts": 0, "cents": CENTS}
    assert (done["approvals"], done["quotes"], done["cents"], done["insurers"]) == (1, 0, CENTS, [freed])
    assert done["promises"] == [stolen]
    assert {**foreseen, "dry_run": False, "until": ""} == {**done, "until": ""}

    assert told(honest, "/v1/quotes", quoted)["total"]["amc_cents"] == CENTS
    paid = told(honest, "/v1/claims", {"invoice": "H1", "engagement": quoted["engagement"], "lines": [line]})
    assert (paid["status"], paid["amc_cents"]) == ("accepted", CENTS)
    again = town.run(*command).stdout
    assert f"{THIEF}: 0 approval(s), 0 quote(s), 0 cents withdrawn" in again
    (entry,) = of_the_act(entries_in(town.directory / "journal"))
    assert (entry.account, entry.insurer, entry.outcome, entry.engagement) == ("operator", AMC, "approval", stolen)
    assert (len(entry.person), entry.fields) == (16, 0)
    assert b"martin" not in entry.sealed.lower()

    # Its practice sees it, and whose act it was.
    colleague = town.client(town.token(COLLEAGUE, practice=OTHER_PRACTICE))
    life = colleague.get(f"/v1/approvals/{stolen}").json()
    assert [(each["move"], each["status"], each.get("about", "")) for each in life["moves"]] == [
        ("grant", "granted", ""), ("withdraw", "cancelled", entry.request),
    ]  # fmt: skip
    assert thief.get(f"/v1/approvals/{stolen}").json()["code"] == "account_quarantined"


def test_killed_halfway_it_is_run_again(town: Site, tmp_path: Path, store_url: str) -> None:
    since = datetime.now(UTC).isoformat()
    _, stolen = ask_many(town, MANY)
    town.run("gate", "contain", THIEF, "quarantined", *WHO)
    words = ("gate", "withdraw", THIEF, "--since", since, *WHO)
    books = Books(store_url, town.directory)
    try:
        with (tmp_path / "said").open("w+") as said:
            begun = Begun(words, town.environment, (said, said, said))
            while not (gone := books.one("SELECT count(*) FROM approval WHERE state = 'cancelled'")[0]):
                assert begun.poll() in (None, 0), (tmp_path / "said").read_text()
                time.sleep(0.0005)
        begun.send_signal(signal.SIGKILL)
        begun.wait(30)
        gone = books.one("SELECT count(*) FROM approval WHERE state = 'cancelled'")[0]
        assert gone  # some tenths of a second before all of them are, unless this process slept
        assert town.json(*words)["approvals"] == MANY - gone
        assert books.one("SELECT sum(cents) FROM reserved")[0] == 0
        moves = books.all("SELECT approval, count(*) FROM approval_move WHERE move = 'withdraw' GROUP BY approval")
    finally:
        asyncio.run(books.close())
    assert sorted(moves) == [(each, 1) for each in sorted(stolen)]
    assert {each.engagement for each in of_the_act(entries_in(town.directory / "journal"))} == set(stolen)


# Below, one hub in the test's own process, under a clock that is set.


@pytest.mark.usefixtures("store_url")
def test_of_an_engagement_the_last_quote_holds_whoever_asked_for_it(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        before, stolen, taken, taken_back = [await checked(hub, THIEF) for _ in range(4)]
        honest = await checked(hub, DOCTOR)
        await quote(hub, THIEF, before, implant(1_000))
        hub.clock.instant += timedelta(hours=1)
        since_us = at_us(hub)
        await quote(hub, DOCTOR, honest, implant(2_000))
        await quote(hub, THIEF, honest, implant(3_000))  # a colleague's, of which the number was read in a claim
        await quote(hub, THIEF, stolen, implant(4_000))
        await quote(hub, THIEF, taken, implant(5_000))
        await quote(hub, THIEF, taken_back, implant(6_000))
        hub.clock.instant += timedelta(hours=1)
        until_us = at_us(hub)
        await quote(hub, DOCTOR, taken, implant(7_000))
        await quote(hub, THIEF, taken_back, implant(8_000))
        quarantine(hub)
        done = await withdrawn(hub, since_us, until_us)
        assert (done.approvals, done.quotes, done.cents) == (0, 2, 7_000)
        assert done.promises == tuple(sorted([honest, stolen]))
        assert held(hub) == {before: 1_000, taken: 7_000, taken_back: 8_000}
        assert {each.outcome for each in of_the_act(hub.journal())} == {"quote"}

    played(tmp_path, story)


@pytest.mark.usefixtures("store_url")
def test_what_the_account_asked_for_before_and_what_a_colleague_did_stands(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        mine, theirs = await checked(hub, THIEF), await checked(hub, DOCTOR)
        before = await approve(hub, THIEF, mine, implant(1_000), reference="A")
        colleagues = await approve(hub, DOCTOR, theirs, implant(2_000), reference="B")
        hub.clock.instant += timedelta(hours=1)
        since_us = at_us(hub)
        stolen = await approve(hub, THIEF, mine, implant(3_000), crown(line=2), reference="C")
        uncounted = await approve(hub, THIEF, mine, crown(), reference="D")
        given_up = await approve(hub, THIEF, mine, implant(4_000), reference="E")
        await cancelled(hub, f"/v1/approvals/{given_up}")
        # The thief sends what others did once more: it is answered, and theirs all the same.
        assert await approve(hub, THIEF, mine, implant(1_000), reference="A") == before
        assert await approve(hub, THIEF, theirs, implant(2_000), reference="B") == colleagues
        quarantine(hub)
        done = await withdrawn(hub, since_us)
        assert (set(done.promises), done.cents) == ({stolen, uncounted}, 3_000)
        assert held(hub) == {before: 1_000, colleagues: 2_000}
        states = dict(hub.rows("SELECT id, state FROM approval"))
        assert {states[each] for each in (stolen, uncounted, given_up)} == {"cancelled"}
        assert {states[each] for each in (before, colleagues)} == {"granted"}
        moves = (await shown(hub, given_up))["moves"]
        assert [each["move"] for each in moves] == ["grant", "cancel"]

    played(tmp_path, story)


@pytest.mark.usefixtures("store_url")
def test_what_is_billed_stays_and_the_rest_goes(tmp_path: Path) -> None:
    """Else a claim of a cent would keep the rest of a year for a thief."""

    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        stolen = await approve(hub, THIEF, await checked(hub, THIEF), implant(CENTS, quantity=2), reference="A")
        aids = await checked(hub, THIEF, domain="AUDI")
        await quote(hub, THIEF, aids, aid(2))
        billed = await hub.send(claim("F1", implant(10_000), approval=stolen))
        await hub.send(claim("F2", aid(), engagement=aids))
        quarantine(hub)
        done = await withdrawn(hub)
        (freed,) = done.insurers
        assert (freed.cancelled, freed.rests, freed.quotes, freed.acts) == (0, 1, 1, 1)
        assert held(hub) == {}
        assert freed.cents == CENTS - 10_000
        assert (await shown(hub, stolen))["status"] == "used"
        assert (await withdrawn(hub)).promises == (), "once is enough"
        bare = await hub.send(claim("H1", implant(CENTS), domain="DENT"), OTHER_PRACTICE)
        assert bare["amc_cents"] == CENTS - 10_000

        # The practice cancels what the thief billed: that is promised again, until it is withdrawn too.
        await cancelled(hub, f"/v1/claims/{billed['claim_id']}")
        assert held(hub) == {stolen: 10_000}
        assert (await withdrawn(hub)).promises == (stolen,)
        assert (held(hub), (await shown(hub, stolen))["status"]) == ({}, "cancelled")

    played(tmp_path, story)


@pytest.mark.usefixtures("store_url")
def test_an_insurer_whose_keys_are_gone_keeps_nobody_from_the_rest(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        gone = await approve(hub, THIEF, await checked(hub, THIEF), implant(1_000), reference="A")
        left = await checked(hub, THIEF)
        await quote(hub, THIEF, left, implant(2_000))
        quarantine(hub)
        hub.change("UPDATE approval SET insurer = '0075888888' WHERE id = ?", gone)
        assert (await withdrawn(hub)).promises == (left,)

    played(tmp_path, story)


@pytest.mark.usefixtures("store_url")
@pytest.mark.parametrize("step", [None, *list(Step)[1:-1]], ids=str)
def test_an_account_that_is_not_quarantined_keeps_what_it_was_promised(tmp_path: Path, step: Step | None) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await checked(hub, THIEF)
        await quote(hub, THIEF, engagement, implant(1_000))
        if step:
            quarantine(hub, step=step)
        for how in ({}, {"dry_run": True}):
            with pytest.raises(Refused, match="not quarantined") as refused:
                await withdrawn(hub, **how)
            assert refused.value.code == "withdrawal_refused"
        assert held(hub) == {engagement: 1_000}
        assert of_the_act(hub.journal()) == []

    played(tmp_path, story)


@pytest.mark.usefixtures("store_url")
def test_who_withdraws_and_why_is_sealed_in_each_entry(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        await equip(hub)
        engagement = await checked(hub, THIEF)
        await quote(hub, THIEF, engagement, implant(1_000))
        await approve(hub, THIEF, await checked(hub, THIEF), implant(1_000), reference="A")
        quarantine(hub)
        theft = Theft(THIEF, 0, at_us(hub) + 1)
        for operator, reason, since_us, code in (
            ("", "un vol", 0, "containment_refused"),
            ("A. Martin", " ", 0, "containment_refused"),
            ("A. Martin", "un vol", theft.until_us, "withdrawal_refused"),
        ):
            with pytest.raises(Refused) as refused:
                await withdraw(hub.hub, msgspec.structs.replace(theft, since_us=since_us), operator, reason)
            assert refused.value.code == code
        await withdraw(hub.hub, theft, " A. Martin", "un vol")
        entries = of_the_act(hub.journal())
        assert [each.outcome for each in entries] == ["approval", "quote"]
        (act,) = {each.request for each in entries}
        for each in entries:
            opened = hub.keys.open(HUB, each.sealed, b"promise_withdrawn|1|" + act.encode())
            assert msgspec.msgpack.decode(opened, type=Kept) == Kept(theft, "a. martin", "un vol")

    played(tmp_path, story)
