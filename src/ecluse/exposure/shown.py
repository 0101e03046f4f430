"""What was displayed: one line a person, an insurer and what became of them, added up over a window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from ecluse.journal.entry import Field

ToldSet = tuple[int, int]  # a set of fields as bits, and how many entries told exactly that set


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """One person displayed in the window, by the reference of their insurer.

    `fields`: the union of what left; `times`: how often anything did; `typed`: how often without proof of presence; `billed`:
    whether an accepted claim of the same place followed each of those. `who`: the member, sealed under the person's own key.
    `told`: how often which set of fields, where that was asked for.
    """

    insurer: str
    person: bytes
    fields: int
    first_ts_us: int
    last_ts_us: int
    times: int
    typed: int
    billed: bool
    who: bytes = b""
    told: tuple[ToldSet, ...] = ()


@lru_cache(4096)  # the answers of a hub have a few dozen different sets of fields
def field_names(bits: int) -> tuple[str, ...]:
    """The names of the fields in a bitmask, in the order of their bits; a bit of a later version is named by its number."""
    known = {each.value: each.name.lower() for each in Field if each.name}
    return tuple(known.get(1 << place, f"bit_{place}") for place in range(bits.bit_length()) if bits >> place & 1)


def field_bits(names: Iterable[str]) -> int:
    """The bitmask of fields by their names. Raises `ValueError` on a name that none has."""
    known = {each.name.lower(): each.value for each in Field if each.name}
    bits = 0
    for name in names:
        number = name.removeprefix("bit_")
        if name not in known and not (number != name and number.isdigit() and int(number) < 63):
            raise ValueError("no such field")
        bits |= known[name] if name in known else 1 << int(number)
    return bits


def disclosures(told: Iterable[ToldSet]) -> Counter[str]:
    """How many entries told each field, by its name."""
    times = Counter[str]()
    for fields, entries in told:
        for name in field_names(fields):
            times[name] += entries
    return times
