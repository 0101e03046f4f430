"""The allowances: who opened whom, and where each account stands; shared by every process of the hub, kept through a kill."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from ecluse.app.ports.outside import Mark
from ecluse.gate.allowance import Caps, Standing
from ecluse.gate.dated import Counted
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question
from ecluse.journal.entry import Entry


class Ask(msgspec.Struct, frozen=True):
    """One question that may open a person. `person`: the insurer's reference; empty when nobody is to be told of.

    `is_slowed`: the account is contained, its bucket is smaller. `question`: what the watcher is told of it, but for whether
    the account knew the person, which is found here; None where it was told before.
    """

    account: str
    practice: str
    profession: str
    person: bytes
    presence: Presence
    at_us: int
    is_slowed: bool = False
    question: Question | None = None


class Position(msgspec.Struct, frozen=True):
    """An account, what it asks as, where it stands, its caps, and how many people it ever opened."""

    account: str
    profession: str
    standing: Standing
    caps: Caps
    opened: int


class Allowances(Protocol):
    """Counters of openings. Every method is one transaction, and blocks for as long: a millisecond for some hundred asks."""

    def take(self, asks: Sequence[Ask]) -> list[str]:
        """Count each ask; which cap refused it, empty where none did. Whom an account opened before is free, and so is a pass.

        An ask about nobody takes nothing, and is refused as one about somebody new would be: a refusal tells nothing.
        """
        ...

    def reached(self, mark: Mark) -> None:
        """Entries up to `mark` are durable, and their openings are counted; the mark itself is written soon."""
        ...

    def recover(self, entries: Sequence[tuple[Entry, Mark]]) -> None:
        """Count what these durable entries opened, each with the mark it reaches, as far as it is not: after a crash."""
        ...

    def caught_up(self) -> None:
        """Everything the journal holds past the `marks` is counted: from now on marks may be written."""
        ...

    def marks(self) -> dict[str, int]:
        """How far each slot of the journal is counted."""
        ...

    def flush(self) -> None:
        """Write now what is held."""
        ...

    def practices(self, account: str) -> list[str]:
        """Where an account opened somebody."""
        ...

    def settle(
        self, account: str, practice: str, lately: Collection[bytes], standing: Collection[bytes], today: int
    ) -> None:
        """Justify the account's openings of the year at a practice as its settled claims say, and no others (`justified_on`).

        `lately`: people of claims sent within `SETTLED_WITHIN_DAYS`; `standing`: of claims sent within `KEPT_DAYS`.
        """
        ...

    def deny(self, account: str, person: bytes, at_us: int) -> bool:
        """The person said "not me": the opening is unjustified for ever, and the watcher is told. Whether there was one without
        a pass."""
        ...

    def recover_denial(
        self, account: str, practice: str, person: bytes, opened_day: int, at_us: int, *, is_carried: bool = False
    ) -> None:
        """The same from the journal, whether the opening's entry or the denial's is read first.

        `is_carried`: it was told again, and the openings of its day may be gone: it weighs, but `by_day` does not have it, and
        the watcher hears nothing.
        """
        ...

    def by_day(self, account: str) -> list[Counted]:
        """By day, in order, whom an account newly opened, pass or not, and how many of these said "not me" since."""
        ...

    def accounts(self, practice: str) -> dict[str, tuple[str, int]]:
        """Who opened somebody at a practice: what each asks as, and the day of its first opening anywhere."""
        ...

    def opened_since(self, account: str, day: int) -> int:
        """How many people an account opened from a day on, with or without their pass."""
        ...

    def position(self, account: str, today: int) -> Position | None:
        """Where an account stands, counted anew; None when it never asked."""
        ...

    def professions(self, accounts: Collection[str]) -> dict[str, str]:
        """What accounts ask as, by what their last tokens said; those whose tokens said nothing are left out."""
        ...

    def indebted(self, today: int, limit: int) -> list[str]:
        """Accounts that were not counted today and have openings of the year: of those justified a claim may come back."""
        ...
