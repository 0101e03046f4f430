"""What the token of an insurer tells whoever stole it: little of who is a member, and the journal says what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecluse.app import feeds
from ecluse.doors.loader import work_once
from ecluse.formats.feed import told as feed_told
from ecluse.journal.entry import Operation
from ecluse.wiring import OpenHub, open_hub
from tests.journal import entries_in
from tests.journeys.members import bearer, load, make, played, row, write

UNFIT_TOLD = 5
GUESSES = range(1, 41)  # the even ones are members


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[OpenHub]:
    with open_hub(make(tmp_path / "hub")) as opened:
        load(opened, write(tmp_path / "f.csv", [row(number) for number in GUESSES if number % 2 == 0]))
        yield opened


def asked(hub: OpenHub, *rows: dict[str, str], mode: str = "delta") -> tuple[Any, Any]:
    """What a file is answered with, and what is told of it once it is loaded."""
    lines = [",".join(rows[0]), *(",".join(each.values()) for each in rows)]
    content, headers = "\n".join([*lines, ""]).encode(), bearer(hub)
    sent = played(hub, lambda client: client.post(f"/v1/feeds?mode={mode}", content=content, headers=headers)).json()
    if "feed_id" not in sent:
        return sent, None
    work_once(hub)
    return sent, played(hub, lambda client: client.get(f"/v1/feeds/{sent['feed_id']}", headers=headers)).json()


def ending(number: int, **other: str) -> dict[str, str]:
    return row(number, valid_to="2026-12-31", change="end") | other


def setting(number: int, **other: str) -> dict[str, str]:
    return row(number, change="set") | other


NEVER = ending(99, contract="NONE")  # so that nothing is ever applied


@pytest.mark.parametrize(
    ("guesses", "code"),
    [
        ([ending(number) for number in GUESSES], "nothing_to_end"),
        ([setting(number, valid_from="2020-01-02") for number in GUESSES], "period_overlaps"),
    ],
)
def test_a_list_of_guesses_is_not_sorted_into_members_and_others(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch, guesses: list[dict[str, str]], code: str
) -> None:
    monkeypatch.setattr(feed_told, "UNFIT_TOLD", UNFIT_TOLD)  # a hundred guesses more would only take longer
    sent, told = asked(hub, *guesses, NEVER)
    codes = [each["code"] for each in told["refusals"]]
    assert (told["state"], codes.count(code), codes[-1]) == ("refused", UNFIT_TOLD, "more_not_told")
    assert (told["counts"]["refused_rows"], told["refusals_total"]) == (UNFIT_TOLD, UNFIT_TOLD + 1)
    kept = hub.run(hub.feeds.store.refusals(sent["feed_id"]))
    assert len(kept) == 21, "the operator hears of all of them"
    (entry,) = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.FEED_LOADED][-1:]
    assert entry.outcome.endswith("41 rows 21 do not fit what is held")


def test_one_row_does_not_tell_by_counts_whether_it_is_of_a_member(hub: OpenHub) -> None:
    said = [
        asked(hub, setting(number, contract="Q", valid_from="1900-01-01", valid_to="1900-01-01"))[1]["counts"]
        for number in (1, 2)
    ]
    assert said == [{"rows": 1, "refused_rows": 0, "persons": None, "rights": None}] * 2
    _, full = asked(hub, row(1), mode="full")
    assert full["counts"] == {"rows": 1, "refused_rows": 0, "persons": 1, "rights": 1}


def test_deltas_that_do_not_fit_end_at_some_number_a_day(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "UNFIT_FILES_MAX", 2)
    for number in (1, 3):
        assert asked(hub, ending(number))[1]["state"] == "refused"
    refused, _ = asked(hub, ending(2))
    assert (refused["status"], refused["code"]) == (429, "deltas_unfit")
    assert asked(hub, row(1), mode="full")[1]["state"] == "loaded"
    monkeypatch.setattr(feeds, "DAY_US", 0)
    assert asked(hub, ending(1))[1]["state"] == "loaded"
