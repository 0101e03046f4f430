"""kill -9 of `ecluse journal prune` at random moments, gate.db lost after each: what stood stands, and the last run ends it."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.containment import moved
from ecluse.app.decoys import Planting, list_decoys, plant_account
from ecluse.app.freezes import FROZEN
from ecluse.app.ports.carried import Going
from ecluse.gate.containment import Contained, Kind
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation, act
from ecluse.wiring import OpenHub
from sim.clock import MODULE
from tests.journeys.inside import Inside, inside
from tests.journeys.site import AMC

FROZEN_PEOPLE, LIMITED = 1_500, 300
LAST_S = 60  # a start takes a second or two
ENTRY_BYTES = 120
EVER = Going(1 << 62, 0)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Inside]:
    """A hub where people and accounts have been held to something for thirteen months."""
    with inside(tmp_path, people=1) as made:
        made.hub.run(filled(made.hub))
        made.close()
        made.wait_at_work(400)
        made.lose("gate.db")  # a start, too: the months that are over are frozen
        made.close()
        yield made


async def filled(hub: OpenHub) -> None:
    people = [number.to_bytes(16) for number in range(FROZEN_PEOPLE)]
    said = [act(Operation.LOOKUPS_FROZEN, hub.now_ts_us, "frz_1", FROZEN, insurer=AMC, person=each) for each in people]
    await asyncio.gather(*map(hub.desk.record, said))
    for number in range(LIMITED):
        await moved(hub, (Kind.ACCOUNT, f"rpps:{number}"), Contained("a", Step.QUARANTINED, "b"))
    await plant_account(hub, Planting("a copy", "a", "b"), "rpps:10000000009")


def standing(hub: OpenHub) -> Any:
    """What is held, of gate.db as the journal gives it."""
    frozen = [(each.insurer, each.person, each.is_frozen, each.at_us) for each in hub.freezes.resting(EVER, None, -1)]
    return frozen, hub.containments.all(), [each.batch for each in list_decoys(hub)]


def killed(old: Inside, after_bytes: int) -> bool:
    """Prune, and kill it once it has written so much; whether it was still at it."""
    words = [sys.executable, "-m", MODULE, "journal", "prune"]
    before, deadline_s = written(old), time.monotonic() + LAST_S
    process = subprocess.Popen(words, env={**os.environ, **old.environment}, stdout=subprocess.DEVNULL)
    while process.poll() is None and written(old) - before < after_bytes:
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
    process.kill()
    return process.wait() != 0


def written(old: Inside) -> int:
    """The bytes of entries that are not in bundles yet."""
    return sum(each.stat().st_size for each in (old.directory / "journal").glob("*/wal/*.seg"))


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_pruning_that_is_killed_loses_nothing_that_stands(old: Inside, rounds: int) -> None:
    draw, before = random.Random(rounds), standing(old.hub)
    assert (len(before[0]), len(before[1]), len(before[2])) == (FROZEN_PEOPLE, LIMITED, 1)
    old.close()
    was_at_it = 0
    for _ in range(rounds):
        was_at_it += killed(old, draw.randrange(1, (FROZEN_PEOPLE + 4 * LIMITED) * ENTRY_BYTES))
        old.lose("gate.db")
        assert standing(old.hub) == before
        old.close()
    assert was_at_it
    old.json("journal", "prune")
    old.lose("gate.db")
    assert standing(old.hub) == before
    assert old.json("journal", "prune")["shards"] == []
    assert old.json("journal", "verify")
