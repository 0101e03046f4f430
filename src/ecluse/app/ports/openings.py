"""Openings by insurer, as they stand in the journal: an index that follows from it and can be made again at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from ecluse.gate.denials import Said, Weight


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """The first entry that tells an account of a person: where it stands, when it was written (µs). Neither is named in it."""

    id: bytes
    insurer: str
    shard: str
    place: int
    at_us: int


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """ "Not me", of one opening. `account`, `practice`, `opened_us`: who looked, where, when.

    `said_by`: the account that passed it on, or the operator, whose own word it then is (`is_staff`, with the `reason`).
    """

    id: bytes
    insurer: str
    account: str
    practice: str
    opened_us: int
    at_us: int
    said_by: str
    is_staff: bool = False
    reason: str = ""
    weight: Weight = Weight.HELD


class Openings(Protocol):
    """The index; shared by every process of the hub. Blocks: a millisecond for some hundred openings.

    Of entries with the same id the earliest is kept, whatever the order they come in, so what is kept follows from which
    entries were read and from nothing else.
    """

    @property
    def has_begun(self) -> bool:
        """Whether an insurer ever asked: until then nothing is followed."""
        ...

    def marks(self) -> Mapping[str, int]:
        """How far each shard was followed, in entries."""
        ...

    def follow(self, shard: str, upto: int, found: Sequence[Opening], denials: Sequence[Denial]) -> None:
        """Keep the openings and denials found in a shard up to an entry, and that it was read so far."""
        ...

    def page(self, insurer: str, starts: Mapping[str, int], limit: int) -> tuple[list[Opening], Mapping[str, int]]:
        """An insurer's openings from these entries of each shard on, `limit` at most, in the order of shards and entries; and how
        far each shard was followed when they were read."""
        ...

    def opening(self, insurer: str, id_: bytes) -> Opening | None:
        """One opening; None of another insurer, or of none."""
        ...

    def deny(self, denial: Denial, weigh: Callable[[Said], Weight]) -> tuple[Denial, bool]:
        """Keep a denial with the weight it has beside what its insurer said before, in one transaction.

        With it, whether its entry is in the journal already: then it is the one that was said first. An operator's word counts,
        whatever an insurer's was.
        """
        ...

    def settle(self, denial: Denial) -> None:
        """The denial's entry is in the journal, with this weight."""
        ...

    def counted(self, account: str, since_us: int, opened_since_us: int) -> tuple[int, int]:
        """Denials of an account that count, said since an instant, of openings since another; and of these, how many the one
        insurer passed on that passed on most."""
        ...

    def denials(self, insurer: str, account: str, limit: int) -> list[Denial]:
        """Denials, the newest first; of one insurer and of one account, where they are named."""
        ...
