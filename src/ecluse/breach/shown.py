"""What a display told of a person, in the words of those who decide and of those who are written to (law/fields.toml). Pure."""

from __future__ import annotations

from functools import cache, lru_cache

from ecluse.breach.letter import rules
from ecluse.breach.tables import Row, load
from ecluse.exposure.places import UNKNOWN
from ecluse.exposure.shown import field_names

UNKNOWN_PROFESSION = "de professionnel de santé"


class Told(Row, frozen=True):
    """One field: French words, categories of personal data, names a letter has for it."""

    say: str
    categories: tuple[str, ...]
    letter: tuple[str, ...]


class Typed(Row, frozen=True):
    """What whoever asks brings along."""

    letter: tuple[str, ...]
    say: str


class Fields(Row, frozen=True):
    """fields.toml."""

    fields: dict[str, Told]
    typed: Typed
    professions: dict[str, str]


@cache
def table() -> Fields:
    """The table."""
    return load("fields.toml", Fields)


@lru_cache(4096)  # a hub's answers have a few dozen sets of fields
def categories(bits: int) -> tuple[str, ...]:
    """The categories of personal data in a set of fields; of a field of a later version, a contract's."""
    unknown = ("insurance_contract",)
    names = [table().fields[each].categories if each in table().fields else unknown for each in field_names(bits)]
    return tuple(dict.fromkeys(category for each in names for category in each))


@lru_cache(4096)
def sentences(bits: int) -> tuple[str, ...]:
    """The fields, in French words."""
    return tuple(table().fields[each].say if each in table().fields else each for each in field_names(bits))


@lru_cache(4096)
def letter_fields(bits: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a letter must say was shown, and what was not; what whoever asked had typed is in neither unless it was sent."""
    told = (table().fields[each].letter for each in field_names(bits) if each in table().fields)
    shown = tuple(dict.fromkeys(name for each in told for name in each))
    silent = {*shown, *table().typed.letter}
    return shown, tuple(name for name in rules().fields if name not in silent)


@lru_cache(4096)
def whose_account(profession: str, departement: str) -> str:
    """By whose account and where, as a letter says it: "un compte d'opticien, dans le département 37"."""
    whose = table().professions.get(profession, UNKNOWN_PROFESSION)
    return f"un compte {whose}" + (f", dans le département {departement}" if departement != UNKNOWN else "")
