"""One pass over the bytes of a CSV before anything reads it: encoding, line ends, quotes, lengths, digest.

What passes here has one row a line, so that a row's number is its line. Memory: one block, and the numbers of blank lines.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from hashlib import sha256

from ecluse.formats.feed.file import (
    ENCODING_INVALID,
    FILE_BYTES_MAX,
    FILE_COMPRESSED,
    FILE_EMPTY,
    FILE_TOO_LARGE,
    LINE_BYTES_MAX,
    LINE_ENDS_MIXED,
    LINE_TOO_LONG,
    QUOTES_UNCLOSED,
    REFUSALS_MAX,
    ROWS_MAX,
    Kind,
)

_BOM = codecs.BOM_UTF8
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}
_PARQUET = b"PAR1"


def kind_of(start: bytes) -> Kind:
    """What the first bytes say the file is. Raises `file_compressed`, `encoding_invalid`, `file_empty`."""
    if not start:
        raise FILE_EMPTY("the file has no bytes")
    for magic, name in _COMPRESSED.items():
        if start.startswith(magic):
            raise FILE_COMPRESSED(f"this is {name}")
    if start.startswith(_UTF16):
        raise ENCODING_INVALID("this is UTF-16")
    return Kind.PARQUET if start.startswith(_PARQUET) else Kind.CSV


class Survey:
    """Reads blocks in order. `lines` counts the lines so far; `blank` holds the numbers of the empty ones."""

    def __init__(self, *, text: bool = True) -> None:
        self._text = text  # false for Parquet: only size and digest
        self.digest = sha256()
        self.header = ""
        self.bytes = 0
        self.lines = 0
        self.blank: list[int] = []
        self._rest = b""
        self._returns = False  # whether lines end with CRLF

    def read(self, block: bytes) -> None:
        """Take the next block. Raises the refusal of the first thing found wrong."""
        self.digest.update(block)
        self.bytes += len(block)
        if self.bytes > FILE_BYTES_MAX:
            raise FILE_TOO_LARGE(f"more than {FILE_BYTES_MAX >> 30} GiB")
        if not self._text:
            return
        whole, end, rest = (self._rest + block).rpartition(b"\n")
        self._rest = rest
        if end:
            self._read_lines(whole)
        if len(rest) > LINE_BYTES_MAX:
            raise self._too_long(self.lines + 1)

    def finish(self) -> None:
        """Take what follows the last line end. Raises `file_empty` when there was no row."""
        if not self._text:
            return
        if self._rest:
            self._returns &= self._rest.endswith(b"\r")  # a last line may do without its end
            self._read_lines(self._rest)
        while self.blank and self.blank[-1] == self.lines:  # empty lines at the end are nobody's row
            self.blank.pop()
            self.lines -= 1
        if self.lines < 2:
            raise FILE_EMPTY("there is a header and no row" if self.lines else "the file has no line")

    def _read_lines(self, whole: bytes) -> None:
        """`whole`: one or more lines, without the end of the last."""
        lines = whole.split(b"\n")
        if not self.lines:
            lines[0] = lines[0].removeprefix(_BOM)
        self._check_text(whole, lines)
        self._check_ends(whole, lines)
        if b'"' in whole:
            self._check_quotes(lines)
        if max(map(len, lines)) > LINE_BYTES_MAX:
            raise self._too_long(self._first(lines, lambda line: len(line) > LINE_BYTES_MAX))
        if b"" in lines or b"\r" in lines:
            self._note_blank(lines)
        if not self.lines:
            self.header = lines[0].rstrip(b"\r").decode()
        self.lines += len(lines)
        if self.lines > ROWS_MAX + 1:
            raise FILE_TOO_LARGE(f"more than {ROWS_MAX:,} rows")

    def _check_text(self, whole: bytes, lines: list[bytes]) -> None:
        if b"\x00" in whole:
            raise ENCODING_INVALID(f"line {self._first(lines, lambda line: 0 in line)} holds null bytes: UTF-16?")
        if not whole.isascii() and not _is_utf8(whole):
            line = self._first(lines, lambda each: not _is_utf8(each))
            raise ENCODING_INVALID(f"line {line} is not UTF-8; Latin-1 or Windows-1252?")

    def _check_ends(self, whole: bytes, lines: list[bytes]) -> None:
        """Either no carriage return at all, or exactly one before each line feed."""
        found = whole.count(b"\r")
        if not self.lines:
            self._returns = lines[0].endswith(b"\r")
        wanted = len(lines) if self._returns else 0
        if found != wanted or sum(line.endswith(b"\r") for line in lines if found) != wanted:
            line = self._first(lines, lambda each: (each.count(b"\r"), each.endswith(b"\r")) != (self._returns,) * 2)
            raise LINE_ENDS_MIXED(f"line {line} does not end as the first")

    def _check_quotes(self, lines: list[bytes]) -> None:
        for number, line in enumerate(lines, self.lines + 1):
            if line.count(b'"') % 2:
                raise QUOTES_UNCLOSED(f"line {number}")

    def _note_blank(self, lines: list[bytes]) -> None:
        self.blank += [number for number, line in enumerate(lines, self.lines + 1) if line in (b"", b"\r")]
        if len(self.blank) > REFUSALS_MAX:
            raise FILE_EMPTY(f"more than {REFUSALS_MAX:,} empty lines")

    def _first(self, lines: list[bytes], wrong: Callable[[bytes], bool]) -> int:
        return self.lines + 1 + next(place for place, line in enumerate(lines) if wrong(line))

    def _too_long(self, line: int) -> Exception:
        return LINE_TOO_LONG(f"line {line} has more than {LINE_BYTES_MAX} bytes")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
