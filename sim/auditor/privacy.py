"""Nothing of the world's people lies in the hub's directory, logs or tables: every file's raw bytes are searched.

Searched: NIRs (13 characters), member numbers, birth dates (2001-02-03, 03/02/2001, 20010203) and last names; as ASCII,
UTF-8 and Latin-1, as UTF-16 in both orders, as hexadecimal of ASCII and, for NIRs, as base64 at its three alignments.
Birth dates of the last two years are left out: they are also ordinary days of contracts and payments.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sim.auditor.lie import Oath
from sim.world import World

DIGITS = re.compile(rb"[0-9AB]{12,}")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
ISO_DAY = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FRENCH_DAY = re.compile(rb"([0-9]{2})/([0-9]{2})/([0-9]{4})")
WORD = re.compile(rb"[0-9A-Za-z]{8,}")
COMPACT_DAY = re.compile(rb"(?<![0-9])[0-9]{8}(?![0-9])")
# Longer words are the hub's random ids and digests in hexadecimal. A demo's hub.db has five hundred with eight digits in a row:
# among the birth dates of twenty thousand people one demo in ten would find somebody by chance.
WORD_MAX = 15
UTF_16 = (re.compile(rb"(?:[\x20-\xff]\x00){6,}"), re.compile(rb"(?:\x00[\x20-\xff]){6,}"))
ENDING = 7  # bytes at the end of a name that are searched first; few names share many of them
YEARS_LEFT_OUT = 2


@dataclass(frozen=True)
class Secrets:
    """What must not be found, ready to be searched for."""

    nirs: frozenset[bytes]
    members: frozenset[bytes]
    encoded: frozenset[bytes]
    days: frozenset[bytes]
    names: dict[bytes, tuple[bytes, ...]]


def secrets_of(world: World) -> Secrets:
    """Everything about the people of `world` that the hub must not keep in clear."""
    nirs = {person.nir[:13].encode() for person in world.people}
    newest = str(world.day.year - YEARS_LEFT_OUT)
    days = {person.birth_date for person in world.people if person.birth_date[:4] < newest}
    names = {form for person in world.people for form in written_forms(person.last_name)}
    by_ending: dict[bytes, list[bytes]] = {}
    for name in sorted(names):
        by_ending.setdefault(name[-ENDING:], []).append(name)
    return Secrets(
        frozenset(nirs),
        frozenset(row.member_number.encode() for row in world.contracts),
        frozenset(form for nir in nirs for form in base64_forms(nir)),
        frozenset(day.encode() for day in days),
        {ending: tuple(known) for ending, known in by_ending.items()},
    )


def written_forms(name: str) -> Iterator[bytes]:
    """A name as it may be written, with ASCII letters made small."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign))
    for text in (name.upper(), name.lower(), plain):
        for encoding in ("utf-8", "latin-1"):
            yield text.encode(encoding).lower()


def base64_forms(nir: bytes) -> Iterator[bytes]:
    """The characters of base64 that a NIR gives wherever it begins in the bytes encoded."""
    yield base64.b64encode(nir[:12])
    yield base64.b64encode(nir[2:11])
    yield base64.b64encode(nir[1:13])


def search(world: World, places: Iterable[Path], oath: Oath, tables: Iterable[tuple[str, bytes]] = ()) -> None:
    """Search every file under `places`, and `tables` by name. Raises `Lie` at the first find: where, and the kind only."""
    hidden = secrets_of(world)
    files = sorted(file for place in places for file in place.rglob("*") if file.is_file())
    for name, data in chain(((str(path), path.read_bytes()) for path in files), tables):
        found = next(finds(data, hidden), "")
        oath.same("nothing of anyone in the hub's files", name, found, "")


def finds(data: bytes, hidden: Secrets) -> Iterator[str]:
    """The kinds of secrets found in `data`, read as single bytes and as UTF-16."""
    yield from finds_in(data, hidden)
    for wide in UTF_16:
        yield from finds_in(b"\n".join(run[0].replace(b"\x00", b"") for run in wide.finditer(data)), hidden)
    for run in BASE64.finditer(data):
        if any(window in hidden.encoded for size in (12, 16) for window in windows(run[0], size)):
            yield "a NIR in base64"


def finds_in(data: bytes, hidden: Secrets) -> Iterator[str]:
    """The kinds of secrets found in `data` read as single bytes, and as hexadecimal of them."""
    for run in DIGITS.finditer(data):
        for view in (run[0], run[0][0::2], run[0][1::2]):
            if any(window in hidden.nirs for window in windows(view, 13)):
                yield "a NIR"
            if any(window in hidden.members for window in windows(view, 12)):
                yield "a member number"
    if any(day in hidden.days for day in days_in(data)):
        yield "a birth date"
    small = data.lower()
    for ending, names in hidden.names.items():
        place = small.find(ending)
        while place >= 0:
            end = place + len(ending)
            if any(small[max(0, end - len(name)) : end] == name for name in names):
                yield "a name"
            place = small.find(ending, end)


def days_in(data: bytes) -> Iterator[bytes]:
    """Every day written in `data`, as `YYYY-MM-DD`."""
    yield from ISO_DAY.findall(data)
    for day, month, year in FRENCH_DAY.findall(data):
        yield b"-".join((year, month, day))
    for word in WORD.findall(data):
        for run in COMPACT_DAY.findall(word) if len(word) <= WORD_MAX else ():
            yield b"-".join((run[:4], run[4:6], run[6:]))


def windows(run: bytes, size: int) -> Iterator[bytes]:
    """Every `size` bytes in a row of `run`."""
    return (run[place : place + size] for place in range(len(run) - size + 1))
