"""The lake: a copy of the journal's entries for questions over millions of them, and how far it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ecluse.app.ports.journal import Head
from ecluse.gate.admission import Admission

Parameters = Mapping[str, Any]
LakeTold = Callable[[str, int, int], None]  # a shard, its entries now in the lake, and in all


class Covered(msgspec.Struct, frozen=True):
    """How far the lake goes in one shard: its size in entries, the signed head it reaches (empty while it catches up), the
    instants of its entries in µs (0 and 0 when it has none)."""

    shard: str
    size: int
    checkpoint: str
    from_us: int = 0
    to_us: int = 0
    is_frozen: bool = False
    pruned: int = 0


class Table(Protocol):
    """An answer, column by column: a `pyarrow.Table` is one."""

    @property
    def num_rows(self) -> int:
        """How many rows it has."""
        ...

    def to_pylist(self) -> list[dict[str, Any]]:
        """Its rows, as dictionaries."""
        ...

    def to_batches(self, max_chunksize: int | None = None) -> list[Any]:
        """Its rows some at a time, each a smaller table."""
        ...


class LakeFiles(Protocol):
    """The lake's files, as whoever looks after them sees them. Blocks."""

    def covered(self) -> list[Covered]:
        """What the lake has, by shard, in the order of names."""
        ...

    def export(self, told: LakeTold, *, anew: bool = False) -> None:
        """Bring every shard to its head, or make it anew. Raises `lake_busy`, `journal_damaged`, `OSError`."""
        ...

    def reach(self, heads: Sequence[Head]) -> None:
        """Bring the lake to these heads or further, where that is soon done; else leave it, and a question may be refused.

        Raises `lake_differs`, `journal_damaged`.
        """
        ...

    def differences(self, told: LakeTold) -> list[str]:
        """The files that are not, byte for byte, those that the journal gives. Raises `lake_busy`, `journal_damaged`."""
        ...


class Lake(Protocol):
    """Questions asked by name (`exposure/sql/`) over the journal's entries. Blocks; several at a time may be asked.

    It is opened at the heads that were signed then: answers are of every entry up to them, and of none past them.
    """

    @property
    def heads(self) -> list[Head]:
        """The signed heads it was opened at, by shard."""
        ...

    def covered(self) -> list[Covered]:
        """What the lake has, by shard, in the order of names."""
        ...

    def ask(self, admission: Admission, query: str, parameters: Parameters) -> Table:
        """What the query answers over entries from `from_us` until before `to_us`, both in `parameters`.

        `accounts`, `insurers`, `sessions`, `networks` there leave only entries of one of those; absent or empty, of all. The
        rest are the query's own. Raises `lake_behind`, `lake_differs`, `lake_query_unknown`.
        """
        ...
