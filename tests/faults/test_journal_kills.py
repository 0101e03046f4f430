"""kill -9 of two writers at random moments, months passing meanwhile: what was acknowledged is there, no head was ever belied."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path(
    "/dev/shm"
)  # a kill loses nothing of the page cache: the disk may be memory; power cuts are played elsewhere


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as made:
        yield Path(made)


@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 24), *(pytest.param(seed, 250, marks=pytest.mark.slow) for seed in range(100, 104))]
)
def test_killed_while_they_write(folder: Path, seed: int, rounds: int) -> None:
    words = [
        "-m",
        "tests.faults.journal_writer",
        str(folder / "journal"),
        str(folder / "heads"),
        str(seed),
        str(rounds),
    ]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=20 * rounds, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(f"{rounds} rounds")
