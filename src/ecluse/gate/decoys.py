"""Decoys: people, rows and accounts that exist for thieves only, and how seldom somebody honest meets one. Pure.

A decoy is nobody: an insurer's real members never hold it, so a question about it is answered as one about anybody unknown, by
the same code. It is planted in a copy (an export, a backup, a pack), and whoever asks about it has read that copy.

What must not tell a decoy from the rows around it is the form, and this code is public. So it is drawn from the very rows it will
stand among: each part of it is a part of one of them, and only the whole is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from ecluse.gate.signals import SIGNALS, Name
from ecluse.kernel.ids import nir_key

LABEL_CHARS_MAX = 200
BATCH_MAX = 500  # decoys planted together: their entry in the journal is 20 kB
TRIES_MAX = 1_000  # redrawn until nobody is meant
CHANCE_MAX = SIGNALS[Name.DECOYS].usual  # that a question about an insurer's people meets one of its decoys by mistake

# A question typed wrong (3 %) is another person's number (1 in 97 passes the key; it is then any of the 10¹⁰ around it) with that
# person's birth day (1 in 30): for each decoy below 10⁻¹⁵.
NIR_CHANCE = 1e-15
# A member number has no key that we know of: 3 % mistakes, all its characters, and a birth date out of some 25 000.
MISTYPED, BIRTH_DATES = 0.03, 25_000

Draw = Callable[[int], int]  # a whole number from 0 to below


class Row(NamedTuple):
    """A person as an export holds them: what the card says. `nir` may be empty."""

    member_number: str
    nir: str
    birth_date: str
    birth_rank: int


class Batch(msgspec.Struct, frozen=True):
    """Decoys planted together in one copy. `keys`: for each person the beginnings of its keyed pseudonyms, by NIR and by number.

    `chance`: that one question about that insurer's people meets one of them by mistake.
    """

    id: str
    label: str
    insurer: str
    keys: tuple[tuple[int, ...], ...]
    accounts: tuple[str, ...]
    chance: float
    operator: str
    reason: str
    at_us: int


class Found(NamedTuple):
    """Which decoy: its batch, its place in it (from 1), and where the batch was planted."""

    batch: str
    place: int
    label: str


class Known:
    """All decoys that stand, as the watcher looks them up."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._people: dict[tuple[str, int], Found] = {}
        self._accounts: dict[str, Found] = {}
        for batch in batches:
            for place, keys in enumerate(batch.keys, 1):
                found = Found(batch.id, place, batch.label)
                self._people |= {(batch.insurer, key): found for key in keys}
            for place, account in enumerate(batch.accounts, 1):
                self._accounts[account] = Found(batch.id, place, batch.label)

    def person(self, insurer: str, asked: int) -> Found | None:
        """The decoy a question is about, None for people."""
        return self._people.get((insurer, asked))

    def account(self, account: str) -> Found | None:
        """The decoy that an account is, None for those of people."""
        return self._accounts.get(account)


def chance(row: Row) -> float:
    """At most how probable it is that one question typed wrong meets this decoy."""
    characters = sum(each.isalnum() for each in row.member_number)
    return (NIR_CHANCE if row.nir else 0.0) + MISTYPED / BIRTH_DATES / 10.0**characters


def drawn(draw: Draw, like: Sequence[Row], taken: Collection[Row]) -> Row | None:
    """A row that is none of `like` nor of `taken`, made of parts of several; None where too few rows are given for that."""
    numbers = {each.member_number for each in (*like, *taken)}
    nirs = {each.nir for each in (*like, *taken)}
    for _ in range(TRIES_MAX):
        born, dated, placed, numbered = (like[draw(len(like))] for _ in range(4))
        if born.birth_date[5:7] != dated.birth_date[5:7]:
            continue
        birth_date = born.birth_date[:8] + dated.birth_date[8:]  # one's whole date would make a twin of each decoy
        if _is_day(born.birth_date) and not _is_day(birth_date):  # the 29th of February of another year
            continue
        nir = ""
        if born.nir and placed.nir:
            # place and order of one: a commune of ten births a month gives nobody the order 200
            body = born.nir[:5] + placed.nir[5:13]
            nir = body + nir_key(body)
        number = _renumbered(draw, numbered.member_number)
        if number not in numbers and nir not in nirs - {""}:
            return Row(number, nir, birth_date, born.birth_rank)
    return None


def made_up(draw: Draw, people: int = 200) -> list[Row]:
    """Rows to draw from where no export is at hand: of any age, born anywhere. Whoever has the table of communes tells many of
    them from real ones; an export's own rows are better."""
    return [_made_up(draw) for _ in range(people)]


def _made_up(draw: Draw) -> Row:
    year, month, day = 1930 + draw(90), 1 + draw(12), 1 + draw(28)
    department = 1 + draw(94)
    department += department >= 20  # Corsica's are 2A and 2B
    body = f"{1 + draw(2)}{year % 100:02}{month:02}{department:02}{1 + draw(290):03}{1 + draw(1 + draw(300)):03}"
    return Row(f"{draw(10**10):010}", body + nir_key(body), f"{year}-{month:02}-{day:02}", 1)


def _is_day(text: str) -> bool:
    """Whether the calendar has it. Cards have days that it has not."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _renumbered(draw: Draw, number: str) -> str:
    """The number with other digits behind its first two characters, which may say a region or a product."""
    return number[:2] + "".join(str(draw(10)) if each.isdigit() else each for each in number[2:])


def crowded(batches: Iterable[Batch], insurer: str, more: float) -> bool:
    """Whether an insurer's decoys, with these, would be met by mistake more often than the signal allows."""
    return sum(batch.chance for batch in batches if batch.insurer == insurer) + more > CHANCE_MAX
