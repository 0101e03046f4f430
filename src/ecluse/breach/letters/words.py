"""The words of a letter, by field: what was seen, what follows from it, what to do (law/letter_words.toml)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Literal

from ecluse.breach.letter import rules
from ecluse.breach.tables import Row, load

To = Literal["person", "professional"]


class Phrase(Row, frozen=True):
    """A field as it is named to the person, to the holder about a minor, and by whoever complains."""

    you: str
    child: str
    mine: str


class Advice(Row, frozen=True, rename={"fields": "any"}):
    """A consequence or an action; said when one of `fields` was seen, or always where there are none."""

    to: frozenset[To]
    fields: frozenset[str]
    you: str
    source: str
    child: str = ""

    def said(self, child: bool) -> str:
        """Its sentence; about a minor the other one, where there is one."""
        return self.child if child and self.child else self.you


class Words(Row, frozen=True):
    """letter_words.toml."""

    not_shown: tuple[str, ...]
    consequences_max: int
    known_before_child: str
    phrases: dict[str, Phrase]
    consequences: tuple[Advice, ...]
    actions: tuple[Advice, ...]


@cache
def words() -> Words:
    """The table."""
    return load("letter_words.toml", Words)


def phrases(fields: Iterable[str], child: bool) -> list[str]:
    """These fields in words, each once, in the order of the table."""
    wanted = set(fields)
    rows = ((name, phrase) for name, phrase in words().phrases.items() if name in wanted)
    return [phrase.child if child else phrase.you for _, phrase in rows]


def denied(not_shown: Iterable[str]) -> list[str]:
    """The fields a letter says were not seen, of those that the journal proves were not."""
    proved = set(not_shown)
    return [name for name in words().not_shown if name in proved]


def consequences(to: To, shown: frozenset[str], child: bool) -> list[str]:
    """What can follow, the most serious first."""
    return [each.said(child) for each in _holding(words().consequences, to, shown)][: words().consequences_max]


def actions(to: To, shown: frozenset[str], child: bool) -> list[str]:
    """What to do, the most urgent first; as many as a letter may ask for."""
    return [each.said(child) for each in _holding(words().actions, to, shown)][: rules().limits.actions]


def _holding(rows: tuple[Advice, ...], to: To, shown: frozenset[str]) -> list[Advice]:
    return [each for each in rows if to in each.to and (not each.fields or each.fields & shown)]


assert words().phrases.keys() == rules().fields.keys(), "every field that a letter may name has its words"
