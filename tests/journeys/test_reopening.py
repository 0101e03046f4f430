"""What is limited is let back in by waves: planned, asked for by one operator, confirmed by another once each begins."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from ecluse.app.containment import moved
from ecluse.app.reopening import open_wave
from ecluse.doors.cli.main import complete
from ecluse.gate.containment import Contained, Kind
from ecluse.gate.reopening import Plan
from ecluse.gate.signals import Step
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import Refused
from ecluse.wiring import init_hub, open_hub
from tests.journal import entries_in

MARTIN = ("--operator", "A. Martin", "--reason", "comptes vérifiés")
DURAND = ("--operator", "b.durand", "--reason", "vu avec A. Martin")
ACCOUNTS = [f"rpps:1000000000{number}" for number in range(5)]
SHUT = ("--operator", "c.roux", "--reason", "vol de comptes")


class Site:
    """A hub spoken to by commands of this process, where five accounts, an insurer and a domain are shut."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.folder = folder / "hub", folder
        init_hub(self.directory)
        for account in ACCOUNTS:
            self.run("gate", "contain", account, "quarantined", *SHUT)
        self.run("gate", "contain", "insurer:0075123456", "closed", *SHUT)
        self.run("gate", "contain", "domain:OPTI", "closed", *SHUT)

    def said(self, *words: str) -> Result:
        return CliRunner().invoke(complete(), list(words), env={"ECLUSE_DIR": str(self.directory)})

    def run(self, *words: str, code: int = 0) -> Any:
        done = self.said(*words, "--json")
        assert not isinstance(done.exception, Refused), done.exception
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        done = self.said(*words)
        assert isinstance(done.exception, Refused), done.output
        return done.exception.code

    def plan(self, name: str, *words: str) -> Any:
        return self.run("gate", "reopen-plan", "--per-hour", "3", "--out", str(self.folder / name), *words)

    def wave(self, plan: str, number: int, *words: str) -> tuple[str, ...]:
        return ("gate", "reopen", str(number), "--plan", str(self.folder / plan / "plan.json"), *words)

    def step(self, name: str) -> str:
        found: str = self.run("gate", "show", name)["step"]
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_waves_are_planned_asked_for_and_confirmed(site: Site) -> None:
    (site.folder / "loads.csv").write_text("name,logins\ninsurer:0075123456,7\ndomain:OPTI,1\n")
    told = site.plan("plan", "--loads", str(site.folder / "loads.csv"))
    assert [(each["wave"], each["hours"], each["logins"]) for each in told["waves"]] == [
        (1, 3, 7),
        (2, 1, 3),
        (3, 1, 3),
    ]
    assert told["waves"][0]["limits"] == ["insurer:0075123456"]
    assert told["waves"][1]["limits"] == ["domain:OPTI", *ACCOUNTS[:2]]
    rows = [*csv.DictReader((site.folder / "plan" / "vagues.csv").open())]
    assert [row["wave"] for row in rows] == ["1", "2", "2", "2", "3", "3", "3"]
    table = (site.folder / "plan" / "vagues.txt").read_text()
    assert "au plus 3 connexions par heure" in table
    assert "opticiens, audioprothésistes 1, tous les autres 2" in table
    assert {site.step(each) for each in ACCOUNTS} == {"quarantined"}, "a plan changes nothing"

    asked = site.run(*site.wave("plan", 1, *MARTIN))
    assert (asked["asked"], asked["opened"], site.step("insurer:0075123456")) == (1, 0, "closed")
    assert site.run(*site.wave("plan", 1, *MARTIN))["waiting"] == 1, "nobody confirms their own asking"
    assert site.run(*site.wave("plan", 1, *DURAND))["opened"] == 1
    assert site.step("insurer:0075123456") == "open"
    assert site.run(*site.wave("plan", 1, *DURAND))["open"] == 1, "again is as once"
    reasons = [each for each in entries_in(site.directory / "journal") if each.operation == Operation.CONTAINED]
    assert len(reasons) == 7 + 2


def test_a_wave_is_confirmed_once_it_begins_and_asked_for_before(site: Site) -> None:
    later = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    site.plan("plan", "--from", later, "--leave-out", "insurer:0075123456", "--leave-out", "domain:OPTI")
    assert site.run(*site.wave("plan", 1, *MARTIN))["asked"] == 3
    assert site.refused(*site.wave("plan", 1, *DURAND)) == "wave_early"
    assert {site.step(each) for each in ACCOUNTS} == {"quarantined"}
    assert site.refused(*site.wave("plan", 9, *DURAND)) == "wave_unknown"
    assert site.refused(*site.wave("plan", 1, "--operator", " ", "--reason", "x")) == "containment_refused"


def test_a_stopped_wave_goes_on_and_what_was_shut_anew_stays_shut(site: Site) -> None:
    site.run("gate", "lost", ACCOUNTS[4], "--operator", "c.roux", "--reason", "téléphone volé")
    ago = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    told = site.plan("plan", "--wave-h", "40", "--from", ago)
    assert [each["name"] for each in told["left_out"]] == [ACCOUNTS[4]]
    assert [len(each["limits"]) for each in told["waves"]] == [1, 1, 4], "loads nobody knows have a wave each"
    assert "Connexions attendues inconnues" in (site.folder / "plan" / "vagues.txt").read_text()
    for each in (MARTIN, DURAND):  # as a stopped work leaves it: one of them is open already
        site.run("gate", "release", ACCOUNTS[0], "slowed", *each)
    site.run("gate", "reset", ACCOUNTS[4], *MARTIN)
    for each in (MARTIN, DURAND):  # another was opened, and shut again since
        site.run("gate", "release", ACCOUNTS[1], "open", *each)
    site.run("gate", "contain", ACCOUNTS[1], "quarantined", *SHUT)
    told = site.run(*site.wave("plan", 3, *MARTIN), code=2)
    assert (told["asked"], told["open"], told["changed"]) == (2, 1, [ACCOUNTS[1]])
    told = site.run(*site.wave("plan", 3, *DURAND), code=2)
    assert (told["opened"], told["open"]) == (2, 1)
    assert [site.step(each) for each in ACCOUNTS] == ["slowed", "quarantined", "slowed", "slowed", "quarantined"]


@pytest.mark.parametrize(
    "content", ["name,logins\ninsurer:1,many\n", "who,logins\nx,1\n", "name,logins\ndomain:OPTI,0\n"]
)
def test_loads_that_do_not_read_are_refused(site: Site, content: str) -> None:
    file = site.folder / "loads.csv"
    file.write_text(content)
    words = ("gate", "reopen-plan", "--per-hour", "3", "--out", str(site.folder / "x"), "--loads", str(file))
    assert site.refused(*words) == "reopening_file_invalid"
    (site.folder / "no.json").write_text("[]")
    assert (
        site.refused("gate", "reopen", "1", "--plan", str(site.folder / "no.json"), *MARTIN) == "reopening_file_invalid"
    )


def test_what_is_shut_anew_while_its_wave_is_opened_stays_shut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lifted, nor asked for, but what was looked at."""
    monkeypatch.setattr("ecluse.app.reopening.TOGETHER", 1)
    site.plan("plan", "--per-hour", "9", "--leave-out", "insurer:0075123456", "--leave-out", "domain:OPTI")
    site.run(*site.wave("plan", 1, *MARTIN))
    plan = msgspec.json.decode((site.folder / "plan" / "plan.json").read_bytes(), type=Plan)
    with open_hub(site.directory) as hub:
        record, late = hub.desk.record, plan.waves[0].limits[1].name

        async def meanwhile(entry: Entry) -> None:
            monkeypatch.setattr(hub.desk, "record", record)
            await moved(hub, (Kind.ACCOUNT, late), Contained("c.roux", Step.QUARANTINED, "encore lui"))
            await record(entry)

        monkeypatch.setattr(hub.desk, "record", meanwhile)
        told = hub.run(open_wave(hub, plan, 1, "b.durand", "vu"))
        assert (told.opened, told.changed) == (4, (late,))
        assert hub.containments.state(Kind.ACCOUNT, late).asked_by == ""
