"""The footer of a Parquet file (Thrift, compact protocol), held to its own size before DuckDB believes it.

Thrift announces how many elements a list has, and readers make room for all of them first: 20 bytes that announce eight
million columns take gigabytes, which no limit of DuckDB's counts. What is announced must fit in the bytes that are there.
Headers of pages need no such look: they have no lists, and their reader makes room for what it reads next (tried: DuckDB 2.0).

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, parquet.thrift of Parquet 2.12.
"""

from __future__ import annotations

from collections.abc import Iterator

from ecluse.formats.feed.file import PARQUET_UNREADABLE, ROWS_TOO_DENSE

TAIL_BYTES = 8  # how long the footer is (little end first), then the magic
FOOTER_BYTES_MAX = 16 << 20  # 33 M rows in groups of 10,000: 6 MB
STRUCTS_MAX = 200_000  # in lists: what the same file has; DuckDB makes half a kilobyte of each, so 100 MB of them
VALUES_MAX = 4_000_000  # of every kind: three times as many as the same file has; some seconds of a core
DEPTH_MAX = 16  # an honest one has 8

# Rows that differ need bytes: half a million people sorted by NIR, numbered in that order, every other column constant, take 6
# bytes a row as zstd at its hardest makes them (10 as it does by itself), and half of that if each had two contracts. What is
# denser repeats itself, and costs the loader a minute for each 100 kB.
ROWS_PER_BYTE = 1
ROWS_ALWAYS = 10_000  # a second of work: files of tests may repeat themselves

_MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_VARINTS = frozenset({_I16, _I32, _I64})
_WIDTHS = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}  # bytes; the head of a field is its truth
_ROW_GROUPS, _ROWS = 4, 3  # FileMetaData.row_groups, RowGroup.num_rows


def footer_bytes(tail: bytes, size: int) -> int:
    """How long the footer is that ends before the last `TAIL_BYTES` of a file of `size` bytes. Raises `parquet_unreadable`."""
    length = int.from_bytes(tail[:4], "little")
    if len(tail) != TAIL_BYTES or tail[4:] != _MAGIC:
        raise PARQUET_UNREADABLE("it does not end as Parquet does")
    if not 0 < length <= size - TAIL_BYTES - len(_MAGIC):
        raise PARQUET_UNREADABLE("its footer is longer than the file")
    if length > FOOTER_BYTES_MAX:
        raise PARQUET_UNREADABLE(f"its footer has more than {FOOTER_BYTES_MAX >> 20} MiB")
    return length


def check_footer(footer: bytes, size: int) -> None:
    """Hold the footer of a file of `size` bytes to what is there. Raises `parquet_unreadable`, `file_too_dense`."""
    rows = _Footer(footer).rows()
    if rows > max(ROWS_ALWAYS, ROWS_PER_BYTE * size):
        raise ROWS_TOO_DENSE(f"{rows:,} rows in {size:,} bytes")


class _Footer:
    """Reads once, from the start. Keeps nothing but the number of rows."""

    def __init__(self, footer: bytes) -> None:
        self._bytes, self._at = footer, 0
        self._structs = self._values = 0

    def rows(self) -> int:
        """The rows of all row groups: those that would be read, whatever the file says of itself."""
        rows = 0
        for field, kind in self._fields():
            if (field, kind) == (_ROW_GROUPS, _LIST):
                rows += sum(self._group() for _ in range(self._structs_of_list()))
            else:
                self._skip(kind, 1)
        return rows

    def _group(self) -> int:
        rows = 0
        for field, kind in self._fields():
            if (field, kind) == (_ROWS, _I64):
                rows += self._rows()
            else:
                self._skip(kind, 2)
        return rows

    def _rows(self) -> int:
        zigzag = self._varint()
        if zigzag & 1:
            raise PARQUET_UNREADABLE("a row group has fewer than no rows")
        return zigzag >> 1

    def _structs_of_list(self) -> int:
        kind, count = self._list()
        if count and kind != _STRUCT:
            raise PARQUET_UNREADABLE("its row groups are none")
        return count

    def _fields(self) -> Iterator[tuple[int, int]]:
        """Number and kind of each field of a struct; the caller takes its value before the next."""
        field = 0
        while head := self._byte():
            kind = head & 0x0F
            zigzag = 0 if head >> 4 else self._varint()
            field = field + (head >> 4) if head >> 4 else (zigzag >> 1) ^ -(zigzag & 1)
            yield field, kind

    def _skip(self, kind: int, depth: int) -> None:
        self._values += 1
        if depth > DEPTH_MAX or self._values > VALUES_MAX:
            raise PARQUET_UNREADABLE("its footer is deeper or longer than any file needs")
        if kind in (_LIST, _SET):
            of, count = self._list()
            for _ in range(count):
                self._skip_element(of, depth + 1)
        elif kind == _MAP:
            self._skip_map(depth + 1)
        elif kind == _STRUCT:
            for _, each in self._fields():
                self._skip(each, depth + 1)
        else:
            self._skip_plain(kind)

    def _skip_plain(self, kind: int) -> None:
        if kind in _VARINTS:
            self._varint()
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind in _WIDTHS:
            self._pass(_WIDTHS[kind])
        else:
            raise PARQUET_UNREADABLE("its footer has a value of no kind")

    def _skip_element(self, kind: int, depth: int) -> None:
        """In a list, a truth takes a byte."""
        self._skip(_BYTE if kind in (_TRUE, _FALSE) else kind, depth)

    def _skip_map(self, depth: int) -> None:
        count = self._count(self._varint())
        if count:
            kinds = self._byte()
            for _ in range(count):
                self._skip_element(kinds >> 4, depth)
                self._skip_element(kinds & 0x0F, depth)

    def _list(self) -> tuple[int, int]:
        """Kind and number of the elements that follow."""
        head = self._byte()
        count = self._count(head >> 4 if head >> 4 < 15 else self._varint())
        if head & 0x0F == _STRUCT:
            self._structs += count
            if self._structs > STRUCTS_MAX:
                raise PARQUET_UNREADABLE(f"its footer lists more than {STRUCTS_MAX:,} things")
        return head & 0x0F, count

    def _count(self, announced: int) -> int:
        """An element takes a byte at least."""
        if announced > len(self._bytes) - self._at:
            raise PARQUET_UNREADABLE("its footer announces more than it holds")
        return announced

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise PARQUET_UNREADABLE("its footer has a number of more than 64 bits")

    def _byte(self) -> int:
        self._pass(1)
        return self._bytes[self._at - 1]

    def _pass(self, count: int) -> None:
        self._at += self._count(count)
