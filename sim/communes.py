"""Real places of one département, Indre-et-Loire, with their INSEE codes and populations (sim/data/README.md)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = "communes_37.csv"
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Place:
    """A commune or a country: INSEE code of 5 characters, its name, and how often it is drawn."""

    code: str
    name: str
    weight: int


@lru_cache(maxsize=8)
def places(name: str) -> tuple[Place, ...]:
    """The places of one file of `sim/data`."""
    return tuple(Place(code, label, int(weight)) for code, label, weight in rows(name))


@lru_cache(maxsize=8)
def by_weight(name: str) -> tuple[tuple[Place, int], ...]:
    """The places of one file, as a weighted draw wants them."""
    return tuple((place, place.weight) for place in places(name))


@lru_cache(maxsize=8)
def rows(name: str) -> list[list[str]]:
    """The rows of one CSV file of `sim/data`, without its header."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]
