"""Decoys met by whoever read a copy: one touch shuts the account and says which copy; nobody else notices anything."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from ecluse.doors.cli import decoys
from ecluse.doors.cli.main import complete
from ecluse.formats.decoy_rows import rows_as_csv
from ecluse.gate.decoys import made_up
from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.inside import DURAND, HEADER, MARTIN, Inside, inside
from tests.journeys.site import AMC, MEMBER, Site, question

THIEF, OTHER_THIEF, HONEST, LATER = (f"rpps:1000000001{number}" for number in range(4))
LABEL = "export mutuelle X, décembre"
GOOD = ("rpps:10000000009", "rpps:10000000017", "rpps:10000000025")  # numbers with their key
PEOPLE = 12


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Inside]:
    with inside(tmp_path, people=PEOPLE) as made:
        (tmp_path / "copy.csv").write_text(rows_as_csv(made_up(Random(1).randrange, 60)))
        yield made


def plant(hub: Inside, label: str = LABEL, count: int = 4) -> tuple[str, list[dict[str, Any]]]:
    """The batch, and what the card of each of its people would say."""
    out = hub.folder / "rows.csv"
    words = ("--insurer", AMC, "--label", label, "--count", str(count), "--like", str(hub.folder / "copy.csv"), *MARTIN)
    planted = hub.json("gate", "decoy", "add", *words, "--out", str(out))
    assert planted["rows"] == []  # where they are in a file they are not on the screen
    assert out.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert len(rows) == count
    return planted["batch"]["batch"], rows


def by_number(row: dict[str, str]) -> dict[str, Any]:
    return {
        "member_number": row["member_number"],
        "birth_date": row["birth_date"],
        "birth_rank": int(row["birth_rank"]),
    }


def by_nir(row: dict[str, str]) -> dict[str, Any]:
    return {"nir": row["nir"], "birth_date": row["birth_date"], "birth_rank": int(row["birth_rank"])}


def test_one_touch_quarantines_and_tells_which_copy_leaked(hub: Inside) -> None:
    batch, rows = plant(hub)
    _, others = plant(hub, "sauvegarde chez Y", 2)
    unknown = {**by_number(rows[0]), "birth_date": "1931-02-04"}
    assert hub.ask(HONEST, [*range(PEOPLE), unknown]) == ["confirmed"] * PEOPLE + ["not_confirmed"]
    assert hub.ask(THIEF, [0, by_number(rows[2])]) == ["confirmed", "not_confirmed"]
    assert hub.ask(OTHER_THIEF, [by_nir(others[1])]) == ["not_confirmed"]
    hub.watch()
    steps = [hub.step(who) for who in (THIEF, OTHER_THIEF, HONEST)]
    assert steps == ["quarantined", "quarantined", "open"]
    assert hub.ask(THIEF, [1]) == ["account_quarantined"]
    alert = hub.alerts(THIEF)["decoys"]
    assert (alert["step"], alert["evidence"]["decoy"], alert["planted"]) == ("quarantined", f"{batch} 3", LABEL)
    assert LABEL not in alert["sentence_fr"] + alert["sentence_en"]  # what an account may be shown tells no secret
    assert "sauvegarde chez Y" in hub.run("gate", "alerts")
    mine, theirs = hub.json("gate", "decoy", "list")
    assert [(each["label"], each["people"]) for each in (mine, theirs)] == [(LABEL, 4), ("sauvegarde chez Y", 2)]
    touch = mine["touched"][0]
    told = [touch[name] for name in ("batch", "place", "account", "times", "network", "software")]
    assert told == [batch, 3, THIEF, 1, "192.0.2.0/24", "logiciel"]
    assert [each["account"] for each in theirs["touched"]] == [OTHER_THIEF]
    assert "touched: n° 3 by " + THIEF in hub.run("gate", "decoy", "list")


def test_no_file_of_the_hub_says_what_a_decoy_is_or_where_it_was_planted(hub: Inside) -> None:
    _, rows = plant(hub)
    hub.ask(THIEF, [by_nir(rows[0])])
    hub.watch()
    hub.close()
    secrets = {LABEL, *(row[name] for row in rows for name in ("member_number", "nir"))}
    for file in hub.directory.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in held], file
    entries = [each for each in entries_in(hub.directory / "journal") if each.operation is Operation.DECOYS]
    assert [(each.outcome, each.account, each.person) for each in entries] == [("planted", "operator", b"")]


def test_they_stand_through_lost_files_until_they_are_dropped(hub: Inside) -> None:
    batch, rows = plant(hub)
    hub.lose("gate.db", "sensed.db")
    hub.ask(THIEF, [by_number(rows[0])])
    hub.watch()
    assert hub.step(THIEF) == "quarantined"
    hub.lose("gate.db")
    hub.watch()
    assert hub.step(THIEF) == "quarantined"
    assert hub.json("gate", "decoy", "list")[0]["touched"][0]["times"] == 1
    hub.run("gate", "decoy", "drop", batch, *DURAND)
    assert "no such batch stands" in str(hub.said("gate", "decoy", "drop", batch, *DURAND).exception)
    for lost in ((), ("gate.db",)):
        hub.lose(*lost)
        hub.ask(LATER, [by_number(rows[1])])
        hub.watch()
        assert (hub.step(LATER), hub.json("gate", "decoy", "list")) == ("open", [])


def test_a_decoy_that_becomes_somebody_touches_nobody(hub: Inside) -> None:
    _, rows = plant(hub)
    real = {**MEMBER, **{name: rows[0][name] for name in ("member_number", "nir", "birth_date", "birth_rank")}}
    members = [",".join(real.values()), ",".join({**MEMBER, "member_number": "N0"}.values())]
    (hub.folder / "new.csv").write_text("\n".join([HEADER, *members]) + "\n")
    hub.run("feed", "load", str(hub.folder / "new.csv"), "--insurer", AMC, "--full")
    assert hub.ask(HONEST, [by_number(rows[0])]) == ["confirmed"]
    hub.watch()
    assert (hub.step(HONEST), hub.alerts(HONEST)) == ("open", {})


REFUSED = [
    ("somebody", ["member_number,nir,birth_date", "N3,," + MEMBER["birth_date"]], "row 1 is somebody"),
    ("a list without dates", ["member_number,nir", "N3,"], "decoy_rows_invalid"),
    (
        "a wrong number",
        ["member_number,nir,birth_date", "N3,123,1979-01-01"],
        "decoy_rows_invalid: line 2: nir_invalid",
    ),
    (
        "too many short ones",
        ["member_number,birth_date", *(f"Z{n:04},1979-01-01" for n in range(9))],
        "honest mistakes",
    ),
    ("none", ["member_number,birth_date"], "0 rows"),
]


@pytest.mark.parametrize(("rows", "said"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_what_cannot_be_planted(hub: Inside, rows: list[str], said: str) -> None:
    file = hub.folder / "own.csv"
    file.write_text("\n".join(rows) + "\n")
    add = ("gate", "decoy", "add", "--insurer", AMC, "--label", "x", "--rows", str(file), *MARTIN)
    assert said in str(hub.said(*add).exception)
    assert hub.json("gate", "decoy", "list") == []


def test_of_a_large_file_own_rows_are_refused_and_a_copy_is_looked_at_from_its_beginning(
    hub: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = hub.folder / "copy.csv"
    monkeypatch.setattr(decoys, "FILE_BYTES_MAX", file.stat().st_size - 5)  # within the last row
    add = ("gate", "decoy", "add", "--insurer", AMC, "--label", "x", *MARTIN)
    assert "larger than" in str(hub.said(*add, "--rows", str(file)).exception)
    assert hub.json("gate", "decoy", "list") == []
    assert hub.said(*add, "--like", str(file), "--count", "2").exit_code == 0


def test_a_decoy_account_is_nobody_s(hub: Inside) -> None:
    hub.ask(GOOD[0], [1])
    hub.watch()
    said = hub.said("gate", "decoy", "account", GOOD[0], "--label", "coffre", *MARTIN)
    assert "decoy_refused: this account has asked" in str(said.exception)


def test_whoever_comes_with_a_decoy_account_is_shut_out_whatever_they_ask(tmp_path: Path) -> None:
    decoy, bound, honest = GOOD
    site = Site(tmp_path / "hub", ECLUSE_GATE_DETECTORS="act", ECLUSE_GATE_WATCH_S="0.05", ECLUSE_LAKE_EVERY_S="0")
    site.make()
    site.load([{}])

    def told(*words: str) -> Any:
        """What a command says, in this process, while the server answers."""
        done = CliRunner().invoke(complete(), [*words, "--json"], env=site.environment)
        assert done.exception is None, done.exception
        return json.loads(done.stdout)

    for name in (decoy, bound):
        told("gate", "decoy", "account", name, "--label", "clé du serveur de secours", *MARTIN)
    site.start(workers=1)
    with site.client(site.token(honest)) as client:
        for _ in range(3):
            assert client.post("/v1/rights/checks", json=question()).json()["outcome"] == "confirmed"
    with site.client(site.token(decoy)) as client:
        assert client.get("/v1/remittances").status_code in {
            200,
            404,
            422,
        }  # answered as anybody's: no entry, no question
        until(lambda: client.post("/v1/rights/checks", json=question()).json().get("code") == "account_quarantined")
    token = told("dev", "token", "--account", bound, "--dpop-jkt", "x" * 43)["access_token"]
    with site.client(token) as client:  # a token that leaked without its key opens nothing, and tells where it leaked
        assert client.post("/v1/rights/checks", json=question()).status_code == 401
    until(lambda: told("gate", "show", bound)["step"] == "quarantined")
    touched = {touch["account"]: each["label"] for each in told("gate", "decoy", "list") for touch in each["touched"]}
    assert touched == dict.fromkeys((decoy, bound), "clé du serveur de secours")
    assert told("gate", "show", honest)["step"] == "open"
    assert [each["planted"] for each in told("gate", "show", decoy)["alerts"]] == ["clé du serveur de secours"]
    site.stop()


def until(holds: Any) -> None:
    deadline_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
