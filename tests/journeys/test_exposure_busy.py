"""Who was shown what, asked of a hub in use, of a window that ended just now: answered at once, and exactly."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from ecluse.engines.local.reading import LocalShards
from ecluse.exposure.question import read_question
from ecluse.journal.entry import decode
from tests.journeys.site import AMC, DOCTOR, MEMBER, Site, question

FIRST = 5  # checks answered before the first question
ASKERS = {"op:1": ("investigate", ""), "op:2": ("investigate", ""), f"amc:{AMC}": ("exposure:own", AMC)}


class Busy:
    """A hub of two writers, which somebody asks without a pause and whose exporter does not rest either."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.over = Event()
        self.answered: list[str] = []  # the ids of checks whose answer has left
        self.since = datetime.now(UTC).isoformat()
        self.tokens = {
            name: site.token(name, practice="", scope=scope, insurer=insurer)
            for name, (scope, insurer) in ASKERS.items()
        }

    def work(self) -> None:
        """Ask about the same person until it is over, each time on a connection of its own: both workers answer some."""
        while not self.over.wait(0.02):
            with self.site.client() as doctor:
                self.answered.append(doctor.post("/v1/rights/checks", json=question()).json()["check_id"])

    def asked(self, name: str, until: str) -> dict[str, Any]:
        """One exposure over HTTP."""
        body = {"accounts": [DOCTOR], "from": self.since, "to": until}
        with self.site.client(self.tokens[name]) as asker:
            answer = asker.post("/v1/exposures", json=body)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def hold(self, told: dict[str, Any], until: str, answered: list[str]) -> None:
        """The displays counted are those of the journal up to where it was read, and every answer given before is there."""
        window = read_question([DOCTOR], self.since, until)
        shards = LocalShards(self.site.directory / "journal")
        read = [
            decode(entry) for each in told["read_to"] for entry in shards.entries(each["shard"], 0, each["entries"])
        ]
        assert {*answered} <= {each.request for each in read}
        shown = [
            each for each in read
            if window.start_ts_us <= each.ts_us < window.end_ts_us and each.account == DOCTOR and each.person
        ]  # fmt: skip
        assert told["displayed"]["times"] == len(shown) > 0
        assert told["displayed"]["people"] == {"at_least": 1, "at_most": 1}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    site = Site(tmp_path_factory.mktemp("busy") / "hub", ECLUSE_LAKE_EVERY_S="0.5")
    site.make()
    site.load([MEMBER])
    site.start(workers=2)
    made = Busy(site)
    _ = site.own_token
    with ThreadPoolExecutor(1) as beside:
        working = beside.submit(made.work)
        try:
            while len(made.answered) < FIRST:
                assert not working.done()
                made.over.wait(0.05)
            yield made
        finally:
            made.over.set()
            working.result(30)
            site.stop()


def test_a_window_that_just_ended_is_answered_again_and_again(busy: Busy) -> None:
    for _ in range(3):
        answered, until = [*busy.answered], datetime.now(UTC).isoformat()
        told = busy.asked("op:1", until)
        busy.hold(told, until, answered)
        again = busy.asked("op:1", until)
        busy.hold(again, until, answered)


def test_several_at_once_are_all_answered(busy: Busy) -> None:
    answered, until = [*busy.answered], datetime.now(UTC).isoformat()
    with ThreadPoolExecutor(len(ASKERS)) as together:
        for told in together.map(lambda name: busy.asked(name, until), ASKERS):
            busy.hold(told, until, answered)


def test_the_command_answers_without_an_export_before(busy: Busy) -> None:
    for _ in range(2):
        answered, until = [*busy.answered], datetime.now(UTC).isoformat()
        told = busy.site.json("exposure", "--account", DOCTOR, "--from", busy.since, "--to", until)
        busy.hold(told, until, answered)
