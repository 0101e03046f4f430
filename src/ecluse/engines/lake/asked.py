"""What is asked of a lake, whoever answers: the named query, the files that can hold its entries, whether they are all there.

A lake is asked of the journal as it was signed at one moment (`Signed`). What was durable then and is of the window is counted,
or nothing is answered; what came since is not counted, however far the lake goes meanwhile. So the many queries of one question
are answered of the same entries. Whether all are there is told by their places, never by how late they are: a clock may go back.
"""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files as packaged
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Parameters
from ecluse.engines.lake.export import differs, read_state
from ecluse.engines.lake.layout import File, State
from ecluse.engines.sql.named import named
from ecluse.journal.entry import decode
from ecluse.kernel.days import PARIS
from ecluse.kernel.errors import refusal

QUERIES = "ecluse.exposure.sql"
FILTERS = {"accounts": "account", "insurers": "insurer", "sessions": "session", "networks": "network"}
HOUR_US = 3_600_000_000
PAST_MAX = 1 << 20  # entries past the lake whose times are looked at: a few seconds

LAKE_BEHIND = refusal(
    "lake_behind",
    409,
    "The lake does not yet hold every entry of this window",
    fix="Ask the same again in a minute. Where that does not help, the hub's operator runs: ecluse journal export.",
    retry_s=60,
)
LAKE_DIFFERS = refusal(
    "lake_differs",
    500,
    "The lake was made of another journal",
    fix="Make it anew: ecluse journal export --rebuild.",
)
QUERY_UNKNOWN = refusal("lake_query_unknown", 500, "The lake has no query of that name", fix="See docs/lake.md.")


class Source(msgspec.Struct, frozen=True):
    """The files of one shard that can hold entries of the window, and those of all its persons.

    `end`: where files go on past the signed head, the index from which entries are not counted.
    """

    shard: str
    folder: Path
    files: tuple[File, ...]
    all_files: tuple[File, ...]
    end: int | None

    def paths(self, kind: str, files: tuple[File, ...]) -> list[str]:
        """Where they are."""
        return [str(self.folder / each.range.name(kind)) for each in files]


class Asked(msgspec.Struct, frozen=True):
    """The text of a query, the window, the values an entry's column must have one of, and the query's own values."""

    text: str
    from_us: int
    to_us: int
    only: dict[str, list[str]]
    own: dict[str, Any]

    @property
    def hours(self) -> dict[str, list[Any]]:
        """Every hour of the window, `hour_us`, and the `day` it is in Paris then: offsets are whole hours there."""
        start = datetime(1970, 1, 1, tzinfo=UTC)
        hours = range(self.from_us // HOUR_US, -(-self.to_us // HOUR_US)) if "hours" in self.text else ()
        days = [(start + timedelta(hours=hour)).astimezone(PARIS).date().isoformat() for hour in hours]
        return {"hour_us": [hour * HOUR_US for hour in hours], "day": days}


def asked(query: str, parameters: Parameters) -> Asked:
    """The question as engines take it. Raises `lake_query_unknown`."""
    if query not in queries():
        raise QUERY_UNKNOWN(query)
    only = {FILTERS[name]: sorted(set(parameters.get(name, ()))) for name in FILTERS if parameters.get(name)}
    own = {name: value for name, value in parameters.items() if name not in FILTERS}
    text = queries()[query]
    used = {name: value for name, value in own.items() if f":{name}" in text}
    return Asked(text, parameters["from_us"], parameters["to_us"], only, used)


@cache
def queries() -> dict[str, str]:
    """Every named query, of every file."""
    found: dict[str, str] = {}
    for file in sorted(each.name for each in packaged(QUERIES).iterdir() if each.name.endswith(".sql")):
        for name, text in named(QUERIES, file).items():
            assert name not in found, f"{file} names a query that another file has: {name}"
            found[name] = text
    return found


class Signed:
    """The journal's shards as they were signed at one moment. Blocks; raises `journal_damaged`."""

    def __init__(self, shards: Shards, past_max: int = PAST_MAX) -> None:
        self.shards = shards
        self.heads = shards.heads()
        self._past_max = past_max
        self._past: dict[tuple[str, int], array[int]] = {}

    def past_us(self, head: Head, start: int) -> array[int]:
        """The times of a shard's entries from `start` on; read once for all the queries of a question. Raises `lake_behind`."""
        if head.size - start > self._past_max:
            raise LAKE_BEHIND(f"{head.shard}: {start} of {head.size} entries")
        if (head.shard, start) not in self._past:
            entries = self.shards.entries(head.shard, start, head.size)
            self._past[head.shard, start] = array("q", (decode(each).ts_us for each in entries))
        return self._past[head.shard, start]


def sources(signed: Signed, lake: Path, what: Asked) -> list[Source]:
    """The files to read, once it is sure that no entry of the window lacks. Raises `lake_behind`, `lake_differs`."""
    found = []
    for head in signed.heads:
        state = read_state(lake / head.shard)
        check_same(signed.shards, head, state)
        _check_whole(signed, head, state, what)
        written = [each for each in state.files if each.start < head.size]
        files = tuple(each for each in written if each.from_us < what.to_us and each.to_us >= what.from_us)
        if files:
            end = head.size if files[-1].end > head.size else None
            found.append(Source(head.shard, lake / head.shard, files, state.files, end))
    return found


def check_same(shards: Shards, head: Head, state: State) -> None:
    """Raise `lake_differs` when a shard's lake is of another journal; one that is past `head` may have gone on since."""
    if differs(state, head) and any(differs(state, each) for each in shards.heads() if each.shard == head.shard):
        raise LAKE_DIFFERS(head.shard)


def _check_whole(signed: Signed, head: Head, state: State, what: Asked) -> None:
    """A shard's lake holds the window when it reaches the head, or when nothing in between is of the window."""
    first = max(state.size, head.pruned)
    if first < head.size and any(what.from_us <= at < what.to_us for at in signed.past_us(head, first)):
        raise LAKE_BEHIND(f"{head.shard}: {state.size} of {head.size} entries")
