"""What is asked of a lake, whoever answers: the named query, the files that can hold its entries, whether they are all there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files as packaged
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Parameters
from ecluse.engines.lake.export import read_state
from ecluse.engines.lake.layout import File, State
from ecluse.engines.sql.named import named
from ecluse.journal.entry import decode
from ecluse.kernel.days import PARIS
from ecluse.kernel.errors import refusal

QUERIES = "ecluse.exposure.sql"
FILTERS = {"accounts": "account", "insurers": "insurer", "sessions": "session", "networks": "network"}
HOUR_US = 3_600_000_000
NEAR_US = 600 * 1_000_000  # ten minutes: no request lives that long, and clocks are rarely set back by more

LAKE_BEHIND = refusal(
    "lake_behind",
    409,
    "The lake does not yet hold every entry of this window",
    fix="Bring it up to the journal: ecluse journal export.",
)
LAKE_DIFFERS = refusal(
    "lake_differs",
    500,
    "The lake was made of another journal",
    fix="Make it anew: ecluse journal export --rebuild.",
)
QUERY_UNKNOWN = refusal("lake_query_unknown", 500, "The lake has no query of that name", fix="See docs/lake.md.")


class Source(msgspec.Struct, frozen=True):
    """The files of one shard that can hold entries of the window, and those of all its persons."""

    shard: str
    folder: Path
    files: tuple[File, ...]
    all_files: tuple[File, ...]

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


def sources(shards: Shards, lake: Path, what: Asked) -> list[Source]:
    """The files to read, once it is sure that no entry of the window lacks. Raises `lake_behind`, `lake_differs`."""
    found = []
    for head in shards.heads():
        state = read_state(lake / head.shard)
        _check(shards, head, state, what)
        files = tuple(each for each in state.files if each.from_us < what.to_us and each.to_us >= what.from_us)
        if files:
            found.append(Source(head.shard, lake / head.shard, files, state.files))
    return found


def _check(shards: Shards, head: Head, state: State, what: Asked) -> None:
    """A shard's lake holds the window when it reaches the head, or when what follows in the journal is later than the window."""
    if state.size > head.size or (state.size == head.size and state.checkpoint not in ("", head.checkpoint)):
        raise LAKE_DIFFERS(head.shard)
    first = max(state.size, head.pruned)
    if first < head.size:
        (following,) = shards.entries(head.shard, first, first + 1)
        if decode(following).ts_us < what.to_us + NEAR_US:
            raise LAKE_BEHIND(f"{head.shard}: {state.size} of {head.size} entries")
