"""Containments: which accounts, insurers, domains, vendors… are limited; shared by every process of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ecluse.gate.containment import Containment, Kind, Move

Name = tuple[Kind, str]


class Containments(Protocol):
    """Where each stands on its ladder; whatever was never moved is open."""

    def limits(self) -> Mapping[Name, Containment]:
        """Everything that is not open now, to all or to older logins; another process's change is seen within 50 ms."""
        ...

    def state(self, kind: Kind, name: str) -> Containment:
        """Where one stands, as it is on disk now."""
        ...

    def swap(self, name: str, before: Containment, after: Containment, made: Move) -> bool:
        """Put `after` in the place of `before`, and tell the watcher of the move, in one transaction.

        False when it stands elsewhere meanwhile.
        """
        ...

    def all(self) -> Mapping[Name, Containment]:
        """Every state that is kept, open ones too."""
        ...
