"""What was told in public of January and February 2024: `facts.toml`, each fact with the address where it was read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("facts.toml")


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who said it, and where it was read."""

    name: str
    url: str


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact, a French sentence, and the sources that carry it."""

    says: str
    sources: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `unknown`: what no source answered; `data`: a field's label, and what was said of each operator."""

    sources: dict[str, Source]
    facts: dict[str, Fact]
    unknown: tuple[str, ...]
    data: dict[str, tuple[str, str, str]]


@cache
def facts() -> Facts:
    """The facts."""
    return read(FILE)


def read(file: Path) -> Facts:
    """The facts of a file. Raises `ValueError` for one without a source, or with one that the file does not have."""
    found = msgspec.toml.decode(file.read_bytes(), type=Facts)
    for name, fact in found.facts.items():
        if not fact.sources or not found.sources.keys() >= set(fact.sources):
            raise ValueError(f"{file.name}: {name} has no source, or an unknown one")
    return found
