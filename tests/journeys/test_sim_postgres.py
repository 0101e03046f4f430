"""A simulated village on PostgreSQL: every answer, cent and table audited as on the embedded store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ECLUSE = Path(sys.executable).with_name("ecluse")


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


def test_a_village_of_one_seed_holds_and_a_store_is_played_in_once(postgres_url: str, tmp_path: Path) -> None:
    said = village(postgres_url, tmp_path / "run", 5, 150, 1)
    assert said["money_cents"]["transfers"] > 0
    assert said["invariants"]["the ledger sums to zero"] == 1
    again = ecluse(postgres_url, "sim", "run", "--people", "150", "--out", str(tmp_path / "other"))
    assert (again.returncode, "demo_store_taken" in again.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_larger_villages_of_more_seeds_hold_over_days(postgres_url: str, tmp_path: Path, seed: int) -> None:
    village(postgres_url, tmp_path / "run", seed, 1_500, 3)
