"""Where insurers are, and moving one from a server to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

MoveTold = Callable[[str, int, int], None]  # step, rows done, of how many


class Moved(msgspec.Struct, frozen=True):
    """A move that is done: rows on the new server, each counted and hashed on both; how long the insurer had no server.

    `taken_back`: it was not, and `target` is the server the insurer never left.
    """

    insurer: str
    source: str
    target: str
    rights: int
    members: int
    engagements: int
    paused_ms: int
    taken_back: bool = False


class InsurerMoves(Protocol):
    """Insurers on servers. A store that has one place for all knows no moves: `one_file_only`."""

    async def where(self) -> dict[str, str]:
        """The server of every insurer."""
        ...

    async def move(self, insurer: str, target: str, told: MoveTold) -> Moved:
        """Move an insurer while it is asked about, or go on with a move that was interrupted. One that has not switched yet is
        taken back by the name of the server it comes from.

        Raises `feed_in_progress`, `insurer_moving`, `move_in_progress`, `move_differs`, `server_unknown`, `insurer_nowhere`,
        `already_there`, `database_unavailable`, `database_busy`, `database_outdated`, `database_newer`.
        """
        ...
