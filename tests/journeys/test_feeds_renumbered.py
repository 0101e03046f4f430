"""A member number that a delta gives to another NIR: what professionals are told, and that each person is counted as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.formats.feed.file import Mode
from ecluse.journal.entry import Operation
from ecluse.wiring import OpenHub, open_hub
from tests.journal import entries_in
from tests.journeys import members
from tests.journeys.members import load, make, played, rights_of, row, write


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[OpenHub]:
    with open_hub(make(tmp_path / "hub")) as opened:
        yield opened


def delta(hub: OpenHub, folder: Path, *rows: dict[str, str]) -> Any:
    return load(hub, write(folder / "delta.csv", list(rows)), Mode.DELTA)


def asked(hub: OpenHub, *numbers: int) -> list[str]:
    """What a practice is told of these people, by the NIR on their card."""

    async def ask(client: httpx.AsyncClient) -> list[str]:
        headers = members.practice(hub)
        sent = [
            await client.post("/v1/rights/checks", json=members.question(number), headers=headers) for number in numbers
        ]
        return [answer.json()["outcome"] for answer in sent]

    told: list[str] = played(hub, ask)
    return told


def test_many_people_are_never_told_under_one_reference(hub: OpenHub, tmp_path: Path) -> None:
    """A thief with the insurer's token gave everybody the same number, one after the other: all were told, one was counted."""
    people = range(1, 5)
    load(hub, write(tmp_path / "full.csv", [row(number) for number in people]))
    for number in people:
        feed = delta(hub, tmp_path, row(number, member_number="X", contract="0", priority="1", change="set"))
        assert (feed.state, feed.counts.persons, feed.counts.rights) == ("loaded", 4, 5)
    assert asked(hub, *people) == ["confirmed"] * 4
    told = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.RIGHTS_CHECK]
    assert len({each.person for each in told}) == 4


def test_a_nir_that_is_corrected(hub: OpenHub, tmp_path: Path) -> None:
    load(hub, write(tmp_path / "full.csv", [row(1), row(2)]))
    feed = delta(hub, tmp_path, row(7, member_number="M1", contract="C1", change="set"))
    assert (feed.state, feed.counts.persons, feed.counts.rights) == ("loaded", 2, 2)
    assert asked(hub, 1, 2, 7) == ["not_confirmed", "confirmed", "confirmed"]
    assert rights_of(hub, 1) == []
