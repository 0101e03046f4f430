"""What the answering processes write down for the watcher, and what the watcher keeps of it; all in the file of the counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import msgspec

from ecluse.app.ports.containments import Name
from ecluse.gate.alerts import Alert
from ecluse.gate.containment import Move
from ecluse.gate.fleet import Breaker
from ecluse.gate.lessons import Ripe, Waiting
from ecluse.gate.sensing import Question, Sensed


class Noted(msgspec.Struct, frozen=True, array_like=True, tag="asked"):
    """A question that was answered. `person`: the number under which the account's openings hold them, 0 for nobody."""

    question: Question
    person: int = 0
    practice: str = ""


class Full(msgspec.Struct, frozen=True, array_like=True, tag="full"):
    """A question that a full debt or yearly budget refused."""

    at_s: int


class Stepped(msgspec.Struct, frozen=True, array_like=True, tag="stepped"):
    """Something was moved on its ladder; its operators and their reasons are in the journal, not here."""

    name: str
    move: Move


class Changed(msgspec.Struct, frozen=True, array_like=True, tag="changed"):
    """A change of a practice's bank account was asked for. `again`: it is read out of the journal, and may be known."""

    practice: str
    at_us: int
    again: bool = False


class NotMe(msgspec.Struct, frozen=True, array_like=True, tag="not_me"):
    """Somebody whom the account had opened said "not me", and it counts; who is not said. `again` as above."""

    at_us: int
    again: bool = False


class Came(msgspec.Struct, frozen=True, array_like=True, tag="came"):
    """A token of an account was verified for the first time in a process: whether anything was answered is not said."""

    account: str
    at_us: int


class Showed(msgspec.Struct, frozen=True, array_like=True, tag="showed"):
    """Somebody's pass was shown to an account at a practice. `person`: as in `Noted`; `is_live`: by its holder, now."""

    at_s: int
    person: int
    practice: str
    is_live: bool


class Seen(NamedTuple):
    """Where a pass was last shown, and to which account, for some hours. `who`: a keyed hash of the day and the person, which
    leads back to nobody."""

    who: int
    at_s: int
    department: str
    account: str = ""


class Touch(msgspec.Struct, frozen=True):
    """An account met a decoy: which of its batch, when first and last (Unix seconds), how often, and from where last."""

    batch: str
    place: int
    account: str
    first_s: int
    last_s: int
    times: int = 1
    network: str = ""
    software: str = ""


What = Noted | Full | Stepped | Changed | NotMe | Came | Showed


class Happening(NamedTuple):
    """One thing that happened, in order. `account` and `profession` are empty where it is about no account that asked."""

    id: int
    account: str
    profession: str
    what: What


class Opening(NamedTuple):
    """A person an account opened, until they mature."""

    account: str
    person: int
    waiting: Waiting


class Alerting(NamedTuple):
    """An account's alert, and when it came (Unix seconds)."""

    account: str
    at_s: int
    alert: Alert


class Work(NamedTuple):
    """What came of some happenings: kept together with their end, or not at all.

    `through`: the last of the happenings; `ripened`: an account and its day whose openings have matured.
    """

    states: Mapping[str, Sensed]
    alerts: Sequence[Alerting] = ()
    openings: Sequence[Opening] = ()
    breakers: Mapping[Name, Breaker] = {}
    through: int = 0
    ripened: tuple[str, int] | None = None
    touches: Sequence[Touch] = ()
    seen: Sequence[Seen] = ()


class Sensings(Protocol):
    """One watcher at a time writes; whoever likes reads. Every method is one transaction, of a millisecond or so."""

    def alone(self) -> AbstractContextManager[None]:
        """Be the only watcher until the end of the block, or of the process. Raises `watched_elsewhere`."""
        ...

    def came(self, account: str, at_us: int) -> None:
        """Write down for the watcher that a token of this account was verified; nothing where nobody watches. Blocks."""
        ...

    def seen(self, who: int) -> Seen | None:
        """Where a pass was last shown, if it was."""
        ...

    def forget_seen(self, before_s: int) -> None:
        """Forget where passes were shown before that."""
        ...

    def touches(self) -> list[Touch]:
        """Who met a decoy, the latest first."""
        ...

    def waiting(self) -> int:
        """How many happenings wait."""
        ...

    def happenings(self, limit: int) -> list[Happening]:
        """The oldest that wait."""
        ...

    def state(self, account: str) -> Sensed | None:
        """What is kept of an account; None when nothing is."""
        ...

    def breaker(self, name: Name) -> Breaker:
        """What is counted of an insurer, département, software or network."""
        ...

    def keep(self, work: Work) -> None:
        """Keep what came of happenings and take these away, in one transaction."""
        ...

    def due(self, day: int, limit: int) -> list[tuple[str, int]]:
        """Accounts and days, the oldest first, whose openings were made before `day` and wait."""
        ...

    def ripe(self, account: str, day: int) -> list[Ripe]:
        """The openings of that day, in their order, each claimed or not by now."""
        ...

    def alerts(self, account: str, limit: int) -> list[Alerting]:
        """The last alert of each signal, the latest first; of every account where `account` is empty."""
        ...
