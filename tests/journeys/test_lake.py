"""The lake as an operator meets it: filled while the hub answers, by hand, checked, made anew."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.engines.lake.export import read_state
from ecluse.journal.entry import Operation
from ecluse.wiring import open_hub
from tests.journal import entries_in
from tests.journeys.site import AMC, Site, question
from tests.lake import ADMISSION

WAIT_S = 30
ALL = {"from_us": 0, "to_us": 2**62}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A hub with one member, that exports every tenth of a second."""
    made = Site(tmp_path / "hub", ECLUSE_LAKE_EVERY_S="0.1")
    made.make()
    made.load([{}])
    yield made
    if made.process:
        made.stop()


def check_rights(site: Site, count: int) -> None:
    with site.client() as client:
        for _ in range(count):
            assert client.post("/v1/rights/checks", json=question()).json()["outcome"] == "confirmed"


def shown(site: Site) -> list[dict[str, object]]:
    """What the lake tells of everybody."""
    with open_hub(site.directory) as hub:
        return hub.lake.ask(ADMISSION, "displayed", ALL).to_pylist()


def test_what_was_shown_is_in_the_lake_soon_after_it_was_answered(site: Site) -> None:
    site.start()
    check_rights(site, 5)
    deadline_s = time.monotonic() + WAIT_S
    lake, checks = site.directory / "lake", 0
    while checks < 5:
        assert time.monotonic() < deadline_s, "the exporter brings nothing"
        time.sleep(0.05)
        states = [read_state(each) for each in lake.glob("*-w*")] if lake.exists() else []
        checks = sum(each.size for each in states) - len(entries_in(site.directory / "journal")) + 5
    site.stop()
    site.run("journal", "export")
    (person,) = shown(site)
    (entry, *_) = [each for each in entries_in(site.directory / "journal") if each.operation is Operation.RIGHTS_CHECK]
    assert (person["insurer"], person["reference"], person["entries"]) == (AMC, entry.person, 5)


def test_a_lake_is_filled_by_hand_checked_and_made_anew(site: Site) -> None:
    site.environment["ECLUSE_LAKE_EVERY_S"] = "0"
    site.start()
    check_rights(site, 3)
    assert not (site.directory / "lake").exists()
    exported = site.json("journal", "export")["shards"]
    assert sum(each["size"] for each in exported) >= 3
    assert all(each["checkpoint"].count("\n") >= 3 for each in exported), "the signed head it reaches"
    check_rights(site, 1)
    behind = site.run("journal", "export", "--check")
    assert "byte for byte" in behind.stdout, "it is compared as far as it goes"
    site.run("journal", "export")
    changed = max((site.directory / "lake").rglob("entries-*"), key=lambda each: each.stat().st_size)
    changed.write_bytes(b"?" * changed.stat().st_size)
    differs = site.run("journal", "export", "--check", "--json", check=False)
    assert (differs.returncode, json.loads(differs.stdout)["same"]) == (2, False)
    assert "entries" in site.run("journal", "export", "--rebuild").stdout
    assert site.json("journal", "export", "--check")["same"]
