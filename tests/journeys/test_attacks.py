"""An attack over HTTP and the same in the laboratory: the same thief, the same list, the same people exposed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ecluse.wiring.gate import built_in_caps
from sim.attacks.aims import leaked
from sim.attacks.scenarios import SCENARIOS
from sim.attacks.thief import rob
from sim.lab.desk import DAY_S, Desk, Place
from sim.lab.door import LabDoor
from sim.lab.office import Card, Office
from sim.lab.rates import Habit
from sim.seeds import stream
from sim.world import World, build

ECLUSE = Path(sys.executable).with_name("ecluse")
SEED, PEOPLE = 6, 300
NOBODY_COMES = (2, 14, 6), 0.0, frozenset[int]()


def ecluse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ECLUSE, *words], capture_output=True, text=True, check=False, env=WITHOUT, timeout=120)


WITHOUT = {
    **os.environ,
    "ECLUSE_GATE_DETECTORS": "off",
}  # they look a quarter of a second later: counters alone are exact


def test_http_and_laboratory_give_the_same(tmp_path: Path) -> None:
    out = tmp_path / "run"
    ran = ecluse(
        "sim", "run", "--people", str(PEOPLE), "--seed", str(SEED), "--attack", "leaked", "--out", str(out), "--json"
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    (attack,) = said["attacks"]
    account, began_s, ended_s = attack["first_account"], attack["began_ts"], attack["began_ts"] + attack["took_s"]
    (profession, day) = told_of(out, account)
    world = build(SEED, PEOPLE, day)
    found = {in_the_lab(world, out, account, profession, at_s) for at_s in (began_s, ended_s)}
    assert min(found) <= attack["people_told"] <= max(found)  # one number, but when a bucket drips in these seconds
    assert attack["people_displayed"] == attack["people_told"] < attack["portal_people"]
    assert attack["others_asked"] > 0
    assert attack["others_refused"] == 0
    assert attack["own_patients_delayed"] == attack["own_patients_asked"] > 0


def told_of(out: Path, account: str) -> tuple[str, date]:
    place = out / "truth" / "professionals.parquet"
    ((profession,),) = duckdb.execute(f"SELECT profession FROM '{place}' WHERE account = ?", [account]).fetchall()
    ((day,),) = duckdb.execute(f"SELECT max(ts)::DATE FROM '{out}/truth/exchanges.parquet'").fetchall()
    return profession, day


def in_the_lab(world: World, out: Path, account: str, profession: str, at_s: float) -> int:
    """People the thief is told of, at a desk that opened before whom the hub opened."""
    desk = Desk(built_in_caps().of(profession), profession, int(at_s), senses=False)
    rows = duckdb.execute(
        f"""SELECT insurer, member_number, birth_date::VARCHAR, birth_rank, epoch(min(received))
        FROM '{out}/truth/told.parquet' WHERE account = ? GROUP BY ALL ORDER BY 5""",
        [account],
    ).fetchall()
    people = {
        (
            row.insurer,
            row.member_number,
            world.people[row.person].birth_date,
            world.people[row.person].birth_rank,
        ): row.person
        for row in world.contracts
    }
    for insurer, number, born, rank, received_s in rows:
        assert not desk.ask(people[insurer, number, born, rank], True, received_s, Place("", "", "")).code
    quiet = Habit(profession, 0, 0.03, 0.3, 0.15, *NOBODY_COMES)
    cards = [Card(person.nir, world.rights(person)[0].insurer) for person in world.people if world.rights(person)]
    office = Office(quiet, desk.caps, cards, stream(SEED, "nobody"), int(at_s // DAY_S), senses=False, grown=False)
    office.desk = desk
    scenario = SCENARIOS["leaked"]
    aims = leaked(world, stream(SEED, "list", "leaked"))
    loot = rob(scenario, LabDoor({account: office}, at_s), [account], aims, stream(SEED, "attack", "leaked"))
    return loot.confirmed


REFUSED = {"bench_unknown": ("bench", "nothing"), "attack_unknown": ("sim", "run", "--attack", "nothing")}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_not_there_is_refused(code: str) -> None:
    refused = ecluse(*REFUSED[code])
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{code}: ")


def test_benches_are_listed_with_what_they_lack() -> None:
    listed = json.loads(ecluse("bench", "--json").stdout)
    assert {"gate", "rights", "detectors"} <= {each["name"] for each in listed}
    assert all(each["about"] for each in listed)
    assert not next(each for each in listed if each["name"] == "gate")["missing"]
