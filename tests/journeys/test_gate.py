"""The gate as a professional and a thief meet it: the allowance over HTTP, through kills and lost files; limits by commands."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.site import DOCTOR, MEMBER, PRACTICE, Site, question, todays_line
from tests.stores import LONG

CAPS = """as_of = 2026-11-29
source = "a test"
[professions]
other = { debt = 5, burst = 1000, refill_per_day = 1000, yearly = 1000 }
"""
PEOPLE = 40


def born(number: int) -> str:
    """Everybody of the test has one NIR, and a birth date of their own."""
    return f"19{number % 80 + 10}-{number // 80 + 1:02}-11"


@pytest.fixture(params=LONG)
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A hub with forty members, whose accounts may open five people."""
    where = {}
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        where = {"ECLUSE_STORE_URL": postgres.url(postgres.empty())}
    made = Site(tmp_path / "hub", **where)
    made.make()
    (made.directory / "caps.toml").write_text(CAPS)
    made.environment |= {"ECLUSE_GATE_CAPS": "caps.toml"}
    made.load([{"member_number": f"N{n}", "birth_date": born(n)} for n in range(PEOPLE)])
    yield made
    if made.process:
        made.stop()


def ask(client: Any, number: int, **changes: Any) -> Any:
    return client.post("/v1/rights/checks", json=question(beneficiary={"birth_date": born(number)}, **changes))


def said(client: Any, number: int) -> str:
    """The outcome, or the code of the refusal."""
    reply = ask(client, number).json()
    return str(reply.get("outcome") or reply["code"])


def test_a_stolen_login_opens_as_many_people_as_its_cap(site: Site) -> None:
    site.start(workers=2)
    with site.client() as client:
        with ThreadPoolExecutor(8) as thieves:
            outcomes = Counter(thieves.map(lambda number: said(client, number), range(PEOPLE)))
        assert outcomes == {"confirmed": 5, "allowance_spent": PEOPLE - 5}
        told = {entry.person for entry in entries_in(site.directory / "journal") if entry.person}
        assert len(told) == 5
        # Somebody unknown is refused in the very words of somebody new, and who was opened before is free.
        codes = [said(client, number) for number in range(PEOPLE)]
        assert Counter(codes) == {"confirmed": 5, "allowance_spent": PEOPLE - 5}
        new, nobody = ask(client, codes.index("allowance_spent")), ask(client, PEOPLE + 1)
        assert {new.status_code, nobody.status_code} == {429}
        assert {**new.json(), "instance": ""} == {**nobody.json(), "instance": ""}
        # A claim without engagement tells as much, and is refused before it is kept.
        about = {"invoice": "F1", "insurer": MEMBER["insurer"], "domain": "MED", "lines": [todays_line()]}
        about["beneficiary"] = question(beneficiary={"birth_date": born(codes.index("allowance_spent"))})["beneficiary"]
        refused = client.post("/v1/claims", json=about)
        assert (refused.status_code, refused.json()["code"]) == (429, "allowance_spent")
        assert client.get("/v1/claims").json()["claims"] == []


def test_a_hub_that_begins_lets_more_through_until_a_day(site: Site) -> None:
    """Of a profession nobody names, of whose questions 45 % are about new people, twice as many; each table is journalled."""
    now = datetime.now(UTC).date()
    over, holds = now - timedelta(days=33), now + timedelta(days=9)
    opened = 0
    for until, most in ((over, 5), (holds, 10)):
        site.environment["ECLUSE_GATE_BEGINNING_UNTIL"] = until.isoformat()
        site.start()
        with site.client() as client:
            while said(client, opened) == "confirmed":
                opened += 1
        assert opened == most
        site.stop()
        assert (f"Caps are wide until {holds}" in site.run("gate", "show").stdout) == (until == holds)
    (found,) = [check for check in site.json("doctor")["checks"] if check["check"] == "caps"]
    assert (found["verdict"], f"wide until {holds}" in found["found"]) == ("ok", True)
    told = [each.outcome for each in entries_in(site.directory / "journal") if each.operation is Operation.CAPS_SET]
    assert {day.isoformat() for day in (over, holds) if any(day.isoformat() in outcome for outcome in told)} == {
        over.isoformat(),
        holds.isoformat(),
    }


def test_a_kill_a_restart_and_a_lost_file_forgive_nothing(site: Site) -> None:
    site.start()
    with site.client() as client:
        assert [said(client, number) for number in range(4)] == ["confirmed"] * 4
    site.stop(signal.SIGKILL)
    site.start()
    with site.client() as client:
        assert [said(client, number) for number in range(6)] == ["confirmed"] * 5 + ["allowance_spent"]
    site.json("gate", "contain", "insurer:0075999999", "closed", "--operator", "a.martin", "--reason", "essai")
    site.stop()
    for lost in site.directory.glob("gate.db*"):
        lost.unlink()
    site.start()
    with site.client() as client:
        assert [said(client, number) for number in range(7)] == ["confirmed"] * 5 + ["allowance_spent"] * 2
    shown = site.json("gate", "show", DOCTOR)
    assert (shown["position"]["standing"]["debt"], shown["position"]["opened"]) == (5, 5)
    assert [(each["name"], each["step"]) for each in site.json("gate", "show")] == [("0075999999", "closed")]
    site.run("journal", "export")
    window = ("--from", f"{datetime.now(UTC).date()}T00:00:00Z", "--to", datetime.now(UTC).isoformat())
    thief = site.json("exposure", "--account", DOCTOR, *window)
    counts = (thief["displayed"]["people"]["at_least"], thief["reachable"], thief["referenced"])
    assert counts == (5, 10, PEOPLE)  # five told of; five more if those were billed meanwhile, as may be


def test_settled_claims_give_room_and_cancelled_ones_take_it_back(site: Site) -> None:
    site.start()
    with site.client() as client:
        numbers = [ask(client, number).json()["engagement"]["number"] for number in range(5)]
        assert said(client, 5) == "allowance_spent"
        for place, number in enumerate(numbers):  # of the last three no insurer pays anything: they give no room
            line = todays_line() if place < 2 else todays_line(expense_cents=0, base_cents=0, amo_rate="0%")
            claim = {"invoice": f"F{place}", "engagement": number, "lines": [line]}
            taken = client.post("/v1/claims", json=claim).json()
            assert (taken["status"], taken["amc_cents"] > 0) == ("accepted", place < 2)
        settle(site)
        site.json("gate", "look", DOCTOR)
        assert [said(client, number) for number in range(5, 8)] == ["confirmed", "confirmed", "allowance_spent"]
        settle(site, "cancelled")
        site.json("gate", "look", DOCTOR)
        assert site.json("gate", "show", DOCTOR)["position"]["standing"]["debt"] == 7


def settle(site: Site, state: str = "settled") -> None:
    """As a bank statement would; how it does is the business of tests/journeys/test_payments.py."""
    if url := site.environment.get("ECLUSE_STORE_URL"):
        asyncio.run(settle_there(url, state))
        return
    with closing(sqlite3.connect(site.directory / "hub.db")) as books, books:
        books.execute("UPDATE claim SET state = ?", (state,))


async def settle_there(url: str, state: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE claim SET state = $1", state)
    await connection.close()


def test_a_limit_is_set_by_one_and_lifted_by_two(site: Site) -> None:
    site.start(workers=2)
    why = ("--reason", "vol signalé")

    def gate(what: str, name: str, step: str, operator: str, **other: Any) -> Any:
        return site.run("gate", what, name, step, "--operator", operator, *why, **other)

    with site.client() as client:
        engagement = ask(client, 0).json()["engagement"]["number"]
        quote = {"engagement": engagement, "lines": [todays_line()]}
        gate("contain", DOCTOR, "presence-only", "a.martin")
        assert said(client, 0) == "presence_required"
        assert client.post("/v1/quotes", json=quote).status_code == 200  # care that was begun goes on
        gate("contain", DOCTOR, "quarantined", "a.martin")
        assert said(client, 0) == "account_quarantined"
        assert client.post("/v1/quotes", json=quote).json()["code"] == "account_quarantined"
        assert client.get("/v1/remittances").json()["code"] == "account_quarantined"
        assert "another operator confirms" in gate("release", DOCTOR, "open", "a.martin").stdout
        assert "containment_refused" in gate("release", DOCTOR, "open", "A.Martin ", check=False).stderr
        assert said(client, 0) == "account_quarantined"
        gate("release", DOCTOR, "open", "b.durand")
        assert said(client, 0) == "confirmed"
        for name, code in ((f"insurer:{MEMBER['insurer']}", "questions_closed"), ("domain:MED", "questions_closed")):
            gate("contain", name, "closed", "a.martin")
            assert said(client, 0) == code
            gate("release", name, "open", "a.martin")
            gate("release", name, "open", "b.durand")
            assert said(client, 0) == "confirmed"
    a_fresh_login_lifts_what_it_may(site, gate)
    made = sorted(
        (each for each in entries_in(site.directory / "journal") if each.operation is Operation.CONTAINED),
        key=lambda entry: entry.ts_us,  # each command and worker writes to a log of its own
    )
    assert [each.outcome for each in made[:3]] == [
        "account_presence_only",
        "account_quarantined",
        "account_quarantined",
    ]
    assert made[3].outcome == "account_open"
    assert {each.engagement for each in made} == {DOCTOR, MEMBER["insurer"], "MED"}
    assert {"account_slowed", "account_step_up"} <= {each.outcome for each in made}
    wrong = gate("contain", DOCTOR, "closed", "a.martin", check=False)
    assert (wrong.returncode, "contained_unknown" in wrong.stderr) == (2, True)
    assert PRACTICE not in wrong.stderr


def a_fresh_login_lifts_what_it_may(site: Site, gate: Any) -> None:
    """A step-up to `slowed`, then that to open, each by a later login, for those alone; a quarantine, none does."""
    with site.client() as before:
        gate("contain", DOCTOR, "step-up", "a.martin")
        refused = ask(before, 0)
        assert (refused.status_code, refused.json()["code"]) == (401, "step_up_required")
        assert 'error="insufficient_user_authentication", max_age="300"' in refused.headers["www-authenticate"]
        for step in ("slowed", "open"):
            time.sleep(1.1)  # a login is told in whole seconds
            with site.client(site.token()) as after:
                assert said(after, 0) == "confirmed"
            assert site.json("gate", "show", DOCTOR)["step"] == step
        assert said(before, 0) == "step_up_required"
        assert "are held to step_up" in site.run("gate", "show").stdout
        gate("contain", DOCTOR, "quarantined", "a.martin")
        time.sleep(1.1)
        with site.client(site.token()) as after:
            assert said(after, 0) == "account_quarantined"
