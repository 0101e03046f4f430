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
    """The facts; one that names an unknown source does not load."""
    read = msgspec.toml.decode(FILE.read_bytes(), type=Facts)
    for name, fact in read.facts.items():
        if missing := [each for each in fact.sources if each not in read.sources] or not fact.sources:
            raise ValueError(f"{FILE.name}: {name} has no source, or an unknown one: {missing}")
    return read
