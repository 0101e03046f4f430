"""The breach room of the story: the hub's own commands, as its operator types them, each named piece of work timed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim.hub import Operator

BY = "Camille Exemple, déléguée à la protection des données"  # nobody


class Room:
    """Runs an incident of the hub in `directory`.

    `took_s`: how long each piece of work took; `at_s`: when each milestone was reached after the incident began to be opened.
    """

    def __init__(self, operator: Operator, directory: Path) -> None:
        self.operator, self.directory = operator, directory
        self.took_s: dict[str, float] = {}
        self.at_s: dict[str, float] = {}
        self._opened_s = 0.0
        self.incident = ""

    def command(self, *words: str, sent: str = "") -> Any:
        """A command about this hub; gives what it prints."""
        return self.operator.command(*words, "--dir", str(self.directory), sent=sent)

    def act(self, act: str, *words: str) -> Any:
        """A signed act on the incident."""
        name, _, of = act.partition(" ")
        return self.command("incident", name, *([of] if of else []), self.incident, *words, "--by", BY)

    def fact(self, name: str, value: str, source: str) -> None:
        """A fact that became known; `value` is JSON, or words."""
        self.act("fact add", name, value, "--source", source)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """How long this takes is kept under `name`; several pieces of one name are added."""
        began_s = time.perf_counter()
        yield
        self.took_s[name] = self.took_s.get(name, 0.0) + time.perf_counter() - began_s

    def begin(self) -> None:
        """From now on, milestones are counted."""
        self._opened_s = time.perf_counter()

    def reached(self, milestone: str) -> None:
        """This much is done."""
        self.at_s[milestone] = time.perf_counter() - self._opened_s

    def shown(self) -> Any:
        """The incident as it stands."""
        return self.command("incident", "show", self.incident)
