"""A changed RIB and a lost device by commands: one asks, the old contact is told, another confirms once the delay is over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ecluse.app.directory import open_payee
from ecluse.app.resets import reset
from ecluse.doors.cli.main import complete
from ecluse.gate.containment import Containment, Kind
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused
from ecluse.wiring import init_hub, open_hub
from tests.journal import entries_in
from tests.journeys.site import DOCTOR, PRACTICE

OLD, NEW = "FR7630006000011234567890189", "FR1420041010050500013M02606"
MARTIN = ("--operator", "A. Martin", "--reason", "appel du cabinet")
DURAND = ("--operator", "b.durand", "--reason", "ancien contact joint")


class Commands:
    """A hub spoken to by commands of this process."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / "hub"
        self.folder = folder
        self.delay_h = "72"
        init_hub(self.directory)
        self.run("practice", "load", self.file(OLD))

    def file(self, iban: str, practice: str = PRACTICE) -> str:
        path = self.folder / f"{iban}-{practice}.csv"
        path.write_text(f"practice,name,iban,bic\n{practice},Cabinet Zébulon,{iban},\n")
        return str(path)

    def said(self, *words: str) -> Result:
        env = {"ECLUSE_DIR": str(self.directory), "ECLUSE_GATE_DELAY_H": self.delay_h}
        return CliRunner().invoke(complete(), list(words), env=env)

    def run(self, *words: str) -> Any:
        done = self.said(*words, "--json")
        assert done.exception is None, done.exception
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        done = self.said(*words)
        assert isinstance(done.exception, Refused), done.output
        assert OLD not in str(done.exception)
        return f"{done.exception.code}: {done.exception.detail}"

    def iban(self) -> str:
        with open_hub(self.directory) as hub:
            return open_payee(hub.keys, PRACTICE, hub.run(hub.directory.payees([PRACTICE]))[PRACTICE]).iban

    def lose_the_gate(self) -> None:
        for file in self.directory.glob("gate.db*"):
            file.unlink()
        with open_hub(self.directory) as hub:
            hub.run(hub.recover())


@pytest.fixture
def hub(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


def test_a_rib_changes_by_two_people_and_a_delay(hub: Commands) -> None:
    assert hub.said("practice", "load", hub.file(NEW)).exit_code == 2  # not by a file any more
    assert hub.refused("practice", "rib", "ask", hub.file(OLD), *MARTIN) == "rib_refused: this is the account it has"
    asked = hub.run("practice", "rib", "ask", hub.file(NEW), *MARTIN)
    assert (asked["old"], asked["new"], asked["asked_by"]) == ("FR…0189", "FR…2606", "a. martin")
    notice = (hub.directory / "out" / asked["notice"]).read_text()
    assert all(each in notice for each in (PRACTICE, "FR…0189", "FR…2606", "appelez-nous"))
    waiting = hub.run("practice", "rib", "show")
    assert not any(secret in f"{asked}{notice}{waiting}" for secret in (OLD, NEW))
    again = hub.refused("practice", "rib", "ask", hub.file(NEW), *DURAND)
    assert again == "rib_refused: a change waits already"
    confirm = ("practice", "rib", "confirm", waiting[0]["id"])
    assert hub.refused(*confirm, *DURAND) == "rib_refused: the delay is not over"
    assert hub.run("practice", "rib", "drop", PRACTICE, *DURAND)["state"] == "dropped"
    assert hub.refused("practice", "rib", "drop", PRACTICE, *DURAND) == "rib_refused: no change of this practice waits"
    assert hub.refused(*confirm, *DURAND) == "rib_refused: no change of this id waits"
    hub.delay_h = "0"
    again = hub.run("practice", "rib", "ask", hub.file(NEW), *MARTIN)
    assert again["id"] in hub.said("practice", "rib", "show").stdout
    assert hub.refused(*confirm, *DURAND) == "rib_refused: no change of this id waits", "another than was looked at"
    assert hub.refused("practice", "rib", "confirm", PRACTICE, *DURAND) == "rib_refused: no change of this id waits"
    confirm = ("practice", "rib", "confirm", again["id"])
    assert hub.refused(*confirm, "--operator", "a.  martin", "--reason", "x").startswith(
        "rib_refused: the operator who"
    )
    hub.lose_the_gate()
    assert hub.iban() == OLD
    assert hub.run(*confirm, *DURAND)["state"] == "confirmed"
    assert hub.iban() == NEW
    assert hub.run("practice", "rib", "show") == []
    hub.lose_the_gate()
    assert hub.run("practice", "rib", "show") == []
    entries = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.RIB_CHANGE]
    assert [each.outcome for each in entries] == ["asked", "dropped", "asked", "confirmed"]
    assert not any(secret.encode() in each.sealed for each in entries for secret in (OLD, NEW))


def test_one_at_a_time_asks_confirms_or_drops(hub: Commands) -> None:
    """What one looked at is what they act on: nobody else acts in between, in whatever process."""
    hub.delay_h = "0"
    ask, drop = ("practice", "rib", "ask", hub.file(NEW), *MARTIN), ("practice", "rib", "drop", PRACTICE, *DURAND)
    with open_hub(hub.directory) as other, other.ribs.alone():
        assert hub.refused(*ask) == "rib_refused: somebody else is at it"
    confirm = ("practice", "rib", "confirm", hub.run(*ask)["id"], *DURAND)
    with open_hub(hub.directory) as other, other.ribs.alone():
        assert {hub.refused(*each) for each in (drop, confirm)} == {"rib_refused: somebody else is at it"}
        assert len(hub.run("practice", "rib", "show")) == 1
    assert hub.run(*drop)["state"] == "dropped"
    assert hub.refused(*confirm) == "rib_refused: no change of this id waits"
    assert hub.iban() == OLD


def test_who_has_no_account_here_gets_the_first_one_by_file(hub: Commands) -> None:
    said = hub.refused("practice", "rib", "ask", hub.file(NEW, "750000010"), *MARTIN)
    assert said == "rib_refused: the hub has no account of this practice"


def test_a_lost_device_is_reset_by_two_people_and_a_delay(hub: Commands) -> None:
    assert hub.run("gate", "lost", DOCTOR, *MARTIN)["step"] == "quarantined"
    assert hub.refused("gate", "release", DOCTOR, "open", *DURAND) == "containment_refused: a device of it was lost"
    assert hub.run("gate", "reset", DOCTOR, *MARTIN)["state"]["asked_by"] == "a. martin"
    (notice,) = (hub.directory / "out" / "notices").iterdir()
    assert DOCTOR in notice.read_text()
    assert hub.refused("gate", "reset", DOCTOR, *DURAND) == "containment_refused: the delay is not over"
    hub.lose_the_gate()
    hub.delay_h = "0"
    assert hub.refused("gate", "reset", DOCTOR, *MARTIN) == "containment_refused: the same operator asked for it"
    assert hub.refused("gate", "reset", DOCTOR, *DURAND) == "containment_refused: the delay is not over", "it was asked"
    assert len(list(notice.parent.iterdir())) == 1
    hub.run("gate", "lost", DOCTOR, *DURAND)  # again: what was asked for is asked anew
    hub.run("gate", "reset", DOCTOR, *MARTIN)
    assert hub.run("gate", "reset", DOCTOR, *DURAND)["step"] == "slowed"
    told = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.CONTAINED]
    assert {each.account for each in told} == {"operator"}


def test_a_reset_that_asks_after_all_is_told_too(hub: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would have confirmed was taken back while it looked."""
    hub.delay_h = "0"
    hub.run("gate", "lost", DOCTOR, *MARTIN)
    hub.run("gate", "reset", DOCTOR, *MARTIN)
    with open_hub(hub.directory) as other:
        containments = other.containments
        read, before = containments.state, containments.state(Kind.ACCOUNT, DOCTOR)
        hub.run("gate", "lost", DOCTOR, "--operator", "c.petit", "--reason", "un autre appareil")

        def stale(*_: Any) -> Containment:
            monkeypatch.setattr(containments, "state", read)
            return before

        monkeypatch.setattr(containments, "state", stale)
        notice = other.run(reset(other, DOCTOR, "b.durand", "vu", 0))
        assert read(Kind.ACCOUNT, DOCTOR).asked_by == "b.durand"
    assert DOCTOR in (hub.directory / "out" / notice).read_text()


def test_who_contains_what_is_contained_takes_back_what_was_asked_for(hub: Commands) -> None:
    police = ("--operator", "c.petit", "--reason", "vol confirmé par la police")
    hub.run("gate", "contain", DOCTOR, "quarantined", *MARTIN)
    hub.run("gate", "release", DOCTOR, "open", *MARTIN)
    assert hub.run("gate", "contain", DOCTOR, "quarantined", *police)["state"]["asked_by"] == ""
    hub.lose_the_gate()
    found = hub.run("gate", "release", DOCTOR, "open", *DURAND)
    assert (found["step"], found["state"]["asked_by"]) == ("quarantined", "b.durand")
    hub.run("gate", "lost", DOCTOR, *police)
    hub.run("gate", "lost", DOCTOR, *police)
    told = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.CONTAINED]
    assert [each.outcome for each in told] == ["account_quarantined"] * 6


def test_production_has_no_short_delay(hub: Commands) -> None:
    settings = hub.directory / "ecluse.toml"
    settings.write_text(
        settings.read_text()
        .replace("delay_h = 72", "delay_h = 1")
        .replace('mode = "development"', 'mode = "production"')
    )
    done = CliRunner().invoke(complete(), ["practice", "rib", "show"], env={"ECLUSE_DIR": str(hub.directory)})
    assert isinstance(done.exception, Refused)
    assert "gate.delay_h is 24 at least" in done.exception.detail
