"""Attacks over HTTP: each is played and scored; one and the same in the laboratory exposes the same people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecluse.kernel.days import paris_day
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
SEED, PEOPLE = 6, 200
NOBODY_COMES = (2, 14, 6), 0.0, frozenset[int]()


# Detectors look a quarter of a second later: counters alone are exact.
WITHOUT = {**os.environ, "ECLUSE_GATE_DETECTORS": "off"}


def ecluse(*words: str, env: dict[str, str] = WITHOUT, timeout_s: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ECLUSE, *words], capture_output=True, text=True, check=False, env=env, timeout=timeout_s)


ANY = ("open", "slowed", "presence_only", "step_up", "quarantined")
# What the thief gets at most, in buckets of the profession that is robbed, and what the stolen login may be held to at the end.
FAST = {
    "leaked": (1.0, ("open",)),  # counters alone
    "smart": (0.3, ("open",)),
    "replayed": (0.0, ("open",)),
}
# The watcher acting, on accounts a day old: nothing was learnt of them yet, so caps of their profession hold them.
SLOW = {
    "bad-token": (0.0, ("open",)),
    "blind": (0.0, ANY),
    "stolen-device": (1.2, ANY),
    "help-desk": (1.0, ANY),
    "leaked-slow": (5.0, ANY),
    "fake-claims-50": (5.0, ANY),
    "fake-claims-90": (5.0, ANY),
    "insider": (2.0, ANY),
    "mimic": (5.0, ANY),
    "knows-all": (2.0, ANY),
    "hundred": (22.0, ANY),
}


def test_every_attack_is_one_of_these() -> None:
    assert {*FAST, *SLOW} == {*SCENARIOS}


def played(out: Path, names: Iterable[str], env: dict[str, str] = WITHOUT, timeout_s: int = 400) -> dict[str, Any]:
    words = [word for name in names for word in ("--attack", name)]
    ran = ecluse(
        "sim", "run", "--people", str(PEOPLE), "--seed", str(SEED), *words, "--out", str(out), "--json",
        env=env, timeout_s=timeout_s,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return {each["name"]: each for each in json.loads(ran.stdout)["attacks"]}


def scored(out: Path, attack: dict[str, Any], buckets: float, held: tuple[str, ...]) -> None:
    """The whole score is there, and agrees with itself; the run itself has asked the hub, field by field, or ended with a lie."""
    bucket = built_in_caps().of(told_of(out, attack["first_account"])[0]).burst
    assert attack["people_displayed"] == attack["people_told"]
    assert attack["people_newly_told"] <= min(buckets * bucket, attack["people_told"])
    assert attack["fields_newly_told"] == 6 * attack["people_newly_told"] <= attack["fields_told"]
    assert (attack["people_newly_told"] > 0) == (attack["last_new_at"] > 0)
    assert attack["last_new_after_s"] >= 0
    assert sum(attack["refused"].values()) <= attack["asked"]
    assert sum(attack["held"].values()) == attack["accounts"]
    assert {*attack["held"]} <= {*held}
    assert (attack["others_quarantined"], attack["others_refused"]) == (0, 0), attack["others_refused_with"]
    assert attack["own_patients_delayed"] <= attack["own_patients_asked"]


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("attacks") / "run"
    return out, played(out, FAST)


@pytest.mark.parametrize("name", FAST)
def test_fast_attacks_over_http(name: str, fast: tuple[Path, dict[str, Any]]) -> None:
    attack = fast[1][name]
    scored(fast[0], attack, *FAST[name])
    if SCENARIOS[name].token != "true":
        assert attack["refused"] == {"unauthenticated": attack["asked"]}


def test_http_and_laboratory_give_the_same(fast: tuple[Path, dict[str, Any]]) -> None:
    out, attacks = fast
    attack = attacks["leaked"]
    account, began_s, ended_s = attack["first_account"], attack["began_ts"], attack["began_ts"] + attack["took_s"]
    (profession, day) = told_of(out, account)
    world = build(SEED, PEOPLE, day)
    found = {in_the_lab(world, out, account, profession, at_s) for at_s in (began_s, ended_s)}
    assert min(found) <= attack["people_told"] <= max(found)  # one number, but when a bucket drips in these seconds
    assert attack["people_told"] < attack["portal_people"]
    assert attack["others_asked"] > 0
    assert attack["own_patients_delayed"] == attack["own_patients_asked"] > 0


TOGETHER = ("bad-token", "blind", "stolen-device", "help-desk", "hundred")  # of seconds
RUNS = [TOGETHER, *((name,) for name in SLOW if name not in TOGETHER)]


@pytest.mark.slow
@pytest.mark.parametrize("names", RUNS, ids="+".join)
def test_slow_attacks_over_http(names: tuple[str, ...], tmp_path: Path) -> None:
    acts = {**os.environ, "ECLUSE_GATE_DETECTORS": "act"}
    for name, attack in played(tmp_path / "run", names, acts, timeout_s=600).items():
        scored(tmp_path / "run", attack, *SLOW[name])
        assert (attack["false_claims"] > 0) == name.startswith("fake-claims")
        if SCENARIOS[name].plan.days > 1:
            assert attack["last_new_after_s"] > 3_600


def told_of(out: Path, account: str) -> tuple[str, date]:
    place = out / "truth" / "professionals.parquet"
    ((profession,),) = duckdb.execute(f"SELECT profession FROM '{place}' WHERE account = ?", [account]).fetchall()
    ((last_s,),) = duckdb.execute(f"SELECT epoch(max(ts)) FROM '{out}/truth/exchanges.parquet'").fetchall()
    return profession, paris_day(datetime.fromtimestamp(last_s, UTC))


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
