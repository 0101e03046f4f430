"""A simulated village on PostgreSQL: every answer, cent and table audited as on the embedded store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.journeys.site import Site, today
from tests.servers import Server

ECLUSE = Path(sys.executable).with_name("ecluse")
ACCOUNT = "rpps:10000000009"  # of somebody in every demo
ASKED = 5


def ecluse(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ECLUSE_STORE_URL": url}
    return subprocess.run([ECLUSE, *words], capture_output=True, text=True, check=False, env=environment, timeout=600)


def village(url: str, out: Path, seed: int, people: int, days: int) -> dict[str, dict[str, int]]:
    words = ["sim", "run", "--seed", seed, "--people", people, "--days", days, "--out", out, "--json"]
    ran = ecluse(url, *map(str, words))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert not list(out.rglob("hub.db")), "nothing is kept beside the server"
    said: dict[str, dict[str, int]] = json.loads(ran.stdout)
    return said


@pytest.mark.slow  # tests/faults/test_sim.py plays one there each time, and breaks things meanwhile
def test_a_village_of_one_seed_holds_and_a_store_is_played_in_once(postgres_url: str, tmp_path: Path) -> None:
    said = village(postgres_url, tmp_path / "run", 5, 150, 1)
    assert said["money_cents"]["transfers"] > 0
    assert said["invariants"]["the ledger sums to zero"] == 1
    again = ecluse(postgres_url, "sim", "run", "--people", "150", "--out", str(tmp_path / "other"))
    assert (again.returncode, "demo_store_taken" in again.stderr) == (2, True)


@pytest.mark.slow
def test_a_demo_is_served_again_and_knows_its_people(postgres: Server, tmp_path: Path) -> None:
    """On a database without tables: `ecluse init` makes them."""
    url = postgres.url(postgres.empty())
    ran = ecluse(url, "demo", "--people", "150", "--out", str(tmp_path / "demo"))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert (tmp_path / "demo" / "report.html").is_file()
    site = Site(tmp_path / "demo" / "hub", ECLUSE_STORE_URL=url)
    site.start()
    try:
        token = site.run("dev", "token", "--account", ACCOUNT).stdout.strip()
        with site.client(token) as client:
            told = [
                client.post("/v1/rights/checks", json=each).json()["outcome"] for each in questions(tmp_path / "demo")
            ]
    finally:
        site.stop()
    assert told == ["confirmed"] * ASKED


def questions(demo: Path) -> list[dict[str, Any]]:
    """About people whose rights are open today, as the truth has them."""
    people = duckdb.read_parquet(str(demo / "truth" / "people.parquet"))
    open_now = people.filter(f"insurer <> '' AND valid_from <= '{today()}' AND coalesce(valid_to > '{today()}', true)")
    found = open_now.project("insurer, nir, birth_date, birth_rank, domains").limit(ASKED).fetchall()
    return [
        {"insurer": insurer, "beneficiary": {"nir": nir, "birth_date": str(born), "birth_rank": rank},
         "care_date": today(), "domain": domains.split()[0]}
        for insurer, nir, born, rank, domains in found
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_larger_villages_of_more_seeds_hold_over_days(postgres_url: str, tmp_path: Path, seed: int) -> None:
    village(postgres_url, tmp_path / "run", seed, 1_500, 3)
