"""Containments: which accounts, insurers, domains, vendors… are limited; shared by every process of the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ecluse.app.ports.carried import Going
from ecluse.gate.containment import Containment, Kind, Move

Name = tuple[Kind, str]


class Stands(msgspec.Struct, frozen=True):
    """Where something stands, since the move of that order (µs, `Move.order_us`; 0: not known)."""

    name: str
    state: Containment
    at_us: int


class Containments(Protocol):
    """Where each stands on its ladder; whatever was never moved is open."""

    def limits(self) -> Mapping[Name, Containment]:
        """Everything that is not open now, to all or to older logins; another process's change is seen within 50 ms."""
        ...

    def state(self, kind: Kind, name: str) -> Containment:
        """Where one stands, as it is on disk now."""
        ...

    def last(self, kind: Kind, name: str) -> tuple[Containment, int]:
        """Where one stands, as it is on disk now, and the order of the move that led there (0: none)."""
        ...

    def swap(self, name: str, before: Containment, after: Containment, made: Move) -> bool:
        """Put `after` in the place of `before`, and tell the watcher of the move, in one transaction.

        False when it stands elsewhere meanwhile.
        """
        ...

    def again(self, name: str, after: Containment, made: Move, told_us: int) -> None:
        """Put back what the journal told at `told_us`, of the move that comes last by its order.

        What is older than what is kept changes nothing, what is known already tells nobody.
        """
        ...

    def resting(self, going: Going) -> list[Stands]:
        """What rests on entries that go, whether it limits anybody or not."""
        ...

    def told(self, some: Sequence[Stands], at_us: int) -> None:
        """The journal told of these again, unless they were moved meanwhile."""
        ...

    def all(self) -> Mapping[Name, Containment]:
        """Every state that is kept, open ones too."""
        ...
