"""Finding one request in the journal: in whichever slot and segment, and reading no more of it than its time says."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from ecluse.engines.clock import RandomIds, made_at_us
from ecluse.engines.journal_search import JournalSearch
from ecluse.engines.local import LocalLog
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from tests.journal import open_log

OPERATOR = Account("operator", scopes=frozenset({"explain"}))
HOUR_US = 3600 * 1_000_000
EMPTY = Entry(FORMAT, 0, Operation.QUOTE, "rpps:1", "p", "", b"", 0, 0, "quoted", "", "", b"")


def about(request: str) -> Admission:
    return Admission(Request(OPERATOR, "exp_1"), Operation.EXPLAINED, request, Presence.TYPED, datetime.now(UTC))


def written(log: LocalLog, request: str, after_us: int = 0) -> Entry:
    entry = replace(EMPTY, ts_us=(made_at_us(request) or 0) + after_us, request=request)
    log.append([encode(entry)])
    return entry


def test_an_identifier_says_when_it_was_made() -> None:
    before_us = time.time_ns() // 1000
    made_us = made_at_us(RandomIds().new("quo_"))
    assert made_us is not None
    assert before_us - 1000 <= made_us <= time.time_ns() // 1000
    assert made_at_us("quo_not-an-identifier-") is None


def test_it_is_found_in_every_slot_and_an_entry_that_only_names_it_is_not_it(tmp_path: Path) -> None:
    ids = RandomIds()
    mine, theirs, never = (ids.new("quo_") for _ in range(3))
    first, second = open_log(tmp_path), open_log(tmp_path)
    told = replace(EMPTY, ts_us=made_at_us(mine) or 0, request="exp_x", engagement=theirs)
    first.append([encode(told)])
    entries = {each: written(log, each) for each, log in ((mine, first), (theirs, second))}
    search = JournalSearch(tmp_path)
    assert {each: search.entry(about(each)) for each in entries} == entries
    assert search.entry(about(never)) is None
    assert search.entry(about("quo_?")) is None


def test_only_bundles_near_its_time_are_read(tmp_path: Path) -> None:
    log, ids = open_log(tmp_path), RandomIds()
    wanted, search = ids.new("quo_"), JournalSearch(tmp_path)
    written(log, wanted, -3 * HOUR_US)  # far from its time, where nobody looks
    for hours in (-3, -2, -1, 0):
        for _ in range(256):
            written(log, ids.new("quo_"), hours * HOUR_US)
    assert search.entry(about(wanted)) is None
    found = written(log, wanted)
    written(log, ids.new("quo_"), HOUR_US)
    assert search.entry(about(wanted)) == found
