"""Letters for a printer, thousands to a file: `lot-00001.pdf`, what it holds (`lot-00001.csv`), and all of them (`lots.json`).

A file is whole or not there; its list comes after it, so a stopped run goes on with the first file that has none. Which letter is
in which file follows from the pack, the contacts and the size of a file alone. Who can be written to by e-mail is not printed,
unless everybody is; a letter that this press cannot print is told, for `letters render` to print.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

import msgspec

from ecluse.app.letters import Ready, Unwritten
from ecluse.app.ports import Post
from ecluse.app.ports.letters import BatchPress, Composed
from ecluse.kernel.errors import Refused

LOTS = "lots.json"
ROWS = ("letter", "position", "first_page", "pages", "sheets", "code")
SIDES = 2


class Lot(msgspec.Struct, frozen=True):
    """One file for the printer. `letters` and `sheets` are to be counted again on paper; `sha256` is that of the PDF."""

    file: str
    listed: str
    letters: int
    pages: int
    sheets: int
    sha256: str


class Printed(msgspec.Struct, frozen=True):
    """What a run did; `kept` files were there. `by_email` people have an e-mail address, and no letter here."""

    letters: int
    via_holder: int
    by_email: int
    kept: int
    forgotten: int
    lots: tuple[Lot, ...]
    without_letter: tuple[Unwritten, ...]


class Window(msgspec.Struct, frozen=True):
    """How the paper is used: where the address shows, in millimetres from the upper left corner."""

    left_mm: int = 104
    top_mm: int = 45
    height_mm: int = 34
    paper: str = "A4"
    sides: int = SIDES


class _Counts:
    def __init__(self) -> None:
        self.letters = self.via_holder = self.by_email = self.forgotten = 0
        self.without: list[Unwritten] = []


def print_batches(
    found: Iterable[Ready | Unwritten | None],
    post: Post,
    press: BatchPress,
    letters_max: int,
    told: Callable[[int], None],
    *,
    everybody: bool,
) -> Printed:
    """Write every file that is not there yet, `letters_max` letters each, then `lots.json`."""
    counts, lots, kept = _Counts(), [], 0
    for number, some in enumerate(_batched(_printable(found, press, counts, told, everybody), letters_max), 1):
        name = f"lot-{number:05d}"
        there = post.has(f"{name}.csv")
        lots.append(_there(post, name) if there else _written(post, press, name, some))
        kept += there
    told_of = {"format": "ecluse-lots@v1", "window": Window(), "lots": lots}
    post.put(LOTS, msgspec.json.format(msgspec.json.encode(told_of), indent=1) + b"\n")
    return Printed(
        counts.letters, counts.via_holder, counts.by_email, kept, counts.forgotten, tuple(lots), tuple(counts.without)
    )


def _printable(
    found: Iterable[Ready | Unwritten | None],
    press: BatchPress,
    counts: _Counts,
    told: Callable[[int], None],
    everybody: bool,
) -> Iterator[tuple[Ready, Composed]]:
    for at, each in enumerate(found, 1):
        told(at)
        if each is None:
            counts.forgotten += 1
        elif isinstance(each, Unwritten):
            counts.without.append(each)
        elif each.to.email and not everybody:
            counts.by_email += 1
        else:
            try:
                composed = press.compose(each.sheet, each.body.blocks, each.values)
            except Refused as refused:
                counts.without.append(Unwritten(each.number, each.reference, refused.code, refused.detail, refused.fix))
                continue
            counts.letters += 1
            counts.via_holder += each.via_holder
            yield each, composed


def _batched(letters: Iterable[tuple[Ready, Composed]], letters_max: int) -> Iterator[list[tuple[Ready, Composed]]]:
    some: list[tuple[Ready, Composed]] = []
    for each in letters:
        some.append(each)
        if len(some) == letters_max:
            yield some
            some = []
    if some:
        yield some


def _written(post: Post, press: BatchPress, name: str, some: list[tuple[Ready, Composed]]) -> Lot:
    listed, page = io.StringIO(newline=""), 1
    rows = csv.writer(listed)
    rows.writerow(ROWS)
    for position, (ready, composed) in enumerate(some, 1):
        sheets = -(-composed.pages // SIDES)
        rows.writerow((ready.number, position, page, composed.pages, sheets, ready.values["code"]))
        page += sheets * SIDES
    post.put(f"{name}.pdf", press.printed(name, [composed for _, composed in some]))
    post.put(f"{name}.csv", listed.getvalue().encode())
    return _there(post, name)


def _there(post: Post, name: str) -> Lot:
    """A file as its list has it."""
    rows = [*csv.DictReader(io.StringIO(post.read(f"{name}.csv").decode()))]
    pages, sheets = (sum(int(row[column]) for row in rows) for column in ("pages", "sheets"))
    return Lot(f"{name}.pdf", f"{name}.csv", len(rows), pages, sheets, sha256(post.read(f"{name}.pdf")).hexdigest())
