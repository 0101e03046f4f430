"""What an insurer's letters are merged from: one row a displayed person, as Parquet and as JSON lines (docs/breach.md).

The insurer adds names and addresses; the hub has none. Lists are lists in both.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import msgspec


class LetterRow(msgspec.Struct, frozen=True, gc=False):
    """One person's own: who, what was shown and what was not in the words of letters, when, how often, by whom."""

    member_number: str
    birth_date: str
    birth_rank: int
    reference: str
    fields: tuple[str, ...]
    shown: tuple[str, ...]
    not_shown: tuple[str, ...]
    first_at: str
    last_at: str
    times: int
    without_presence: int
    by: tuple[str, ...]
    category: str
    normal_care: bool


COLUMNS = LetterRow.__struct_fields__
_LISTS = ("fields", "shown", "not_shown", "by")
_NUMBERS = ("birth_rank", "times", "without_presence")
_encode = msgspec.json.Encoder().encode_lines


class LetterLines:
    """Rows as JSON lines."""

    def __init__(self) -> None:
        self._out = io.BytesIO()

    def add(self, rows: Sequence[LetterRow]) -> None:
        """More persons."""
        self._out.write(_encode(rows))

    def content(self) -> bytes:
        """The whole file; nothing is added after."""
        return self._out.getvalue()


class LetterTable:
    """The same as a Parquet file, each addition a row group."""

    def __init__(self) -> None:
        import pyarrow as pa  # a third of a second, that only who writes Parquet pays
        import pyarrow.parquet as parquet

        kinds = {
            **dict.fromkeys(_LISTS, pa.list_(pa.string())),
            **dict.fromkeys(_NUMBERS, pa.int64()),
            "normal_care": pa.bool_(),
        }
        self._schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
        self._table = pa.table
        self._out = io.BytesIO()
        self._writer = parquet.ParquetWriter(self._out, self._schema)

    def add(self, rows: Sequence[LetterRow]) -> None:
        """More persons; at least one."""
        columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
        self._writer.write_table(self._table(dict(zip(COLUMNS, columns, strict=True)), schema=self._schema))

    def content(self) -> bytes:
        """The whole file; nothing is added after."""
        self._writer.close()
        return self._out.getvalue()
