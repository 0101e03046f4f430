"""A file that would end the rights of most members changes nothing, until the operator says that it is meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ecluse.doors.loader import work_once
from ecluse.formats.feed.file import Mode
from ecluse.formats.feed.shrinking import HELD_MIN
from ecluse.kernel.errors import Refused
from ecluse.wiring import OpenHub, open_hub
from tests.commands import ecluse
from tests.journeys.members import AMC, bearer, generation, load, make, played, rights_of, row, write
from tests.journeys.site import today

MOST = HELD_MIN // 2 + 1


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[OpenHub]:
    """Of each engine in turn: an insurer of as many people as a file may not halve."""
    with open_hub(make(tmp_path / "hub")) as opened:
        load(opened, write(tmp_path / "whole.csv", [row(number) for number in range(HELD_MIN)]))
        yield opened


@pytest.fixture
def rest(tmp_path: Path) -> Path:
    """A full file that lost a little more than half of them."""
    return write(tmp_path / "rest.csv", [row(number) for number in range(HELD_MIN - MOST)])


def refused(hub: OpenHub, path: Path, mode: Mode = Mode.FULL) -> str:
    """The code a file is refused with."""
    before = generation(hub)
    with pytest.raises(Refused) as wrong:
        load(hub, path, mode)
    assert generation(hub) == before
    return wrong.value.code


def test_half_a_file_changes_nothing_and_is_loaded_once_it_is_meant(hub: OpenHub, rest: Path) -> None:
    assert refused(hub, rest) == "feed_shrinks"
    assert rights_of(hub, HELD_MIN - 1)
    feed = load(hub, rest, shrink=True)
    assert (feed.state, feed.counts.persons) == ("loaded", HELD_MIN - MOST)
    assert not rights_of(hub, HELD_MIN - 1)


def test_one_person_fewer_is_an_ordinary_file(hub: OpenHub, tmp_path: Path) -> None:
    half = [row(number) for number in range(HELD_MIN // 2)]
    assert load(hub, write(tmp_path / "half.csv", half)).state == "loaded"


def test_rights_ended_one_by_one_count_as_those_left_out(hub: OpenHub, tmp_path: Path) -> None:
    yesterday = (date.fromisoformat(today()) - timedelta(1)).isoformat()
    ends = [row(number, change="end", valid_to=yesterday) for number in range(MOST)]
    assert refused(hub, write(tmp_path / "ends.csv", ends), Mode.DELTA) == "feed_shrinks"
    moved = ends + [row(number, change="set", valid_from=today(), contract=f"N{number}") for number in range(MOST)]
    assert load(hub, write(tmp_path / "moved.csv", moved), Mode.DELTA).state == "loaded"


def test_whoever_has_the_insurers_token_is_told_and_cannot_mean_it(hub: OpenHub, rest: Path) -> None:
    headers = bearer(hub)
    sent = played(
        hub, lambda client: client.post("/v1/feeds?mode=full", content=rest.read_bytes(), headers=headers)
    ).json()
    work_once(hub)
    told = played(hub, lambda client: client.get(f"/v1/feeds/{sent['feed_id']}", headers=headers)).json()
    assert (told["state"], [each["code"] for each in told["refusals"]]) == ("refused", ["feed_shrinks"])
    assert not list((hub.dir / "spool").glob("fee_*"))
    assert load(hub, rest, shrink=True).state == "loaded"


def test_the_command_says_what_to_do(hub: OpenHub, rest: Path) -> None:
    command = ("feed", "load", str(rest), "--insurer", AMC, "--dir", str(hub.dir))
    first = ecluse(command, os.environ)
    assert first.returncode == 2
    assert "feed_shrinks" in first.stderr
    assert "--shrink" in first.stderr
    assert ecluse((*command, "--shrink"), os.environ).returncode == 0
