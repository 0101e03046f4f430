"""A letter to somebody whose data were seen: what it must say, what it may not, and whether it can be read. Pure.

It must name that person's own fields, all those the journal proves and no other; it may neither hedge nor minimise. Rules and
patterns are law/letters.toml. A finding is a reason not to send; `advice` is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta

from ecluse.breach.facts import BAD_FACTS, Sent, Short
from ecluse.breach.readability import Reading, reading, sentences
from ecluse.breach.tables import Row, load, version

TEXT_MAX = 50_000  # characters; a letter has some 3 000
QUOTED = 120  # characters of the letter that a finding shows


class Limits(Row, frozen=True):
    """Figures a letter keeps to."""

    actions: int
    kandel_moles: float
    sentence_words: int
    mean_sentence_words: float


class Wanted(Row, frozen=True):
    """Patterns, what to do about them, and why."""

    patterns: tuple[str, ...]
    say: str
    source: str


class Told(Row, frozen=True):
    """How a line says that data went out, or did not, or that something is to be done."""

    shown: tuple[str, ...]
    denied: tuple[str, ...]
    action: tuple[str, ...]
    action_heading: tuple[str, ...]


class Rules(Row, frozen=True):
    """letters.toml."""

    limits: Limits
    parts: dict[str, Wanted]
    banned: dict[str, Wanted]
    jargon: dict[str, str]
    told: Told
    fields: dict[str, tuple[str, ...]]


class Letter(Sent, frozen=True, kw_only=True):
    """A letter and what the journal proves: the fields `shown`, those `not_shown`; a minor is written to through the holder."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
    shown: Annotated[list[Short], Meta(min_length=1, max_length=50)]
    not_shown: Annotated[list[Short], Meta(max_length=50)] = msgspec.field(default_factory=list)
    minor: bool | None = None
    via_holder: bool | None = None


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule the letter does not keep: what to do, why, and the words to blame where there are some."""

    rule: str
    say: str
    source: str
    quote: str = ""


class Linted(msgspec.Struct, frozen=True):
    """The verdict. `actions` is how many the letter asks for."""

    ok: bool
    findings: tuple[Finding, ...]
    advice: tuple[Finding, ...]
    actions: int
    reading: Reading
    rules_version: str


@cache
def rules() -> Rules:
    """The rules."""
    return load("letters.toml", Rules)


def lint(letter: Letter) -> Linted:
    """Look at a letter. Raises `facts_invalid` for a field that has no words in the rules."""
    for name in (*letter.shown, *letter.not_shown):
        if name not in rules().fields:
            accepted = ", ".join(rules().fields)
            raise BAD_FACTS("a field has no words in the rules", pointer="/shown", fix=f"Accepted here: {accepted}.")
    text = plain(letter.text)
    measured, actions = reading(text), action_count(text)
    findings = (
        *_missing_parts(text),
        *_banned(text),
        *_fields(text, letter),
        *_actions(actions),
        *_readable(measured),
        *_addressee(letter),
    )
    return Linted(not findings, findings, tuple(_jargon(text)), actions, measured, version())


def plain(text: str) -> str:
    """The same text with straight apostrophes and plain spaces, which is what the patterns are written for."""
    return re.sub(r"[^\S\n]+", " ", text.replace("’", "'").replace("ʼ", "'")).replace("\r", "")


def _search(patterns: tuple[str, ...], text: str) -> re.Match[str] | None:
    return next((found for each in _compiled(patterns) if (found := each.search(text))), None)


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(each, re.IGNORECASE | re.MULTILINE) for each in patterns)


def _missing_parts(text: str) -> Iterator[Finding]:
    flat = text.replace("\n", " ")
    for name, part in rules().parts.items():
        if not _search(part.patterns, flat):
            yield Finding(f"missing_{name}", part.say, part.source)


def _banned(text: str) -> Iterator[Finding]:
    said = sentences(text) or [text]
    for name, row in rules().banned.items():
        for sentence in said:
            if found := _search(row.patterns, sentence):
                yield Finding(name, row.say, row.source, found[0][:QUOTED])


def _fields(text: str, letter: Letter) -> Iterator[Finding]:
    """Every field the journal proves, and none that it does not (checklist 3 and 4)."""
    said, denied = claimed(text)
    source = "RGPD art. 33(3)(a) ; journal des lectures"
    for name in letter.shown:
        if name not in said:
            yield Finding("field_not_named", f"Dites que cette donnée a été vue : {name}.", source)
    for name in sorted(said - set(letter.shown)):
        yield Finding("field_not_proved", f"Le journal ne prouve pas que cette donnée a été vue : {name}.", source)
    for name in sorted(denied & set(letter.shown)):
        yield Finding("field_denied", f"Le journal prouve que cette donnée a été vue : {name}.", source)
    for name in sorted(denied - set(letter.not_shown) - set(letter.shown)):
        yield Finding(
            "absence_not_proved", f"Le journal ne prouve pas que cette donnée n'a pas été vue : {name}.", source
        )
    for name in letter.not_shown:
        if name not in denied:
            yield Finding("absence_not_named", f"Dites que cette donnée n'a pas été vue : {name}.", source)


def claimed(text: str) -> tuple[set[str], set[str]]:
    """The fields the letter says were seen, and those it says were not; items of a list follow the line that opens it."""
    said: set[str] = set()
    denied: set[str] = set()
    heading = ""
    for line in text.split("\n"):
        item = _search(rules().told.action, line) is not None
        heading = heading if item or not line.strip() else ""
        for sentence in sentences(line):
            context = f"{heading} {sentence}" if item else sentence
            if _search(rules().told.denied, context):
                denied |= _named(sentence)
            elif _search(rules().told.shown, context) and not _search(rules().told.action_heading, context):
                said |= _named(sentence)
        if line.strip().endswith(":"):
            heading = line
    return said, denied


def _named(sentence: str) -> set[str]:
    return {name for name, words in rules().fields.items() if _search(words, sentence)}


def action_count(text: str) -> int:
    """The items of the list that says what to do."""
    count, inside = 0, False
    for line in text.split("\n"):
        if _search(rules().told.action, line):
            count += inside
        elif line.strip():
            inside = _search(rules().told.action_heading, line) is not None
    return count


def _actions(count: int) -> Iterator[Finding]:
    most = rules().limits.actions
    if not 1 <= count <= most:
        say = f"Donnez de 1 à {most} gestes à faire, en liste, le plus urgent d'abord : il y en a {count}."
        yield Finding("actions", say, "RGPD art. 33(3)(d) et cons. 86 ; CNIL, SAN-2026-001")


def _readable(measured: Reading) -> Iterator[Finding]:
    limits, source = rules().limits, "RGPD art. 34(2) ; Kandel et Moles 1958"
    if measured.kandel_moles < limits.kandel_moles:
        say = f"Le texte est trop difficile : {measured.kandel_moles:g}, il faut au moins {limits.kandel_moles:g}."
        yield Finding("reading", say, source)
    if measured.longest_sentence_words > limits.sentence_words:
        say = f"Une phrase a {measured.longest_sentence_words} mots, au plus {limits.sentence_words}."
        yield Finding("long_sentence", say, source)
    if measured.mean_sentence_words > limits.mean_sentence_words:
        say = (
            f"Les phrases ont {measured.mean_sentence_words:g} mots en moyenne, au plus {limits.mean_sentence_words:g}."
        )
        yield Finding("long_sentences", say, source)


def _addressee(letter: Letter) -> Iterator[Finding]:
    if letter.minor and letter.via_holder is False:
        yield Finding(
            "minor_not_through_holder", "Écrivez à un mineur par le titulaire du contrat.", "code civil art. 388-1-1"
        )
    if letter.minor is False and letter.via_holder:
        yield Finding(
            "adult_through_holder", "Écrivez à un adulte en son nom, jamais par le titulaire.", "RGPD art. 34(1)"
        )


def _jargon(text: str) -> Iterator[Finding]:
    for pattern, instead in rules().jargon.items():
        if found := _search((pattern,), text):
            yield Finding("jargon", f"Écrivez plutôt : {instead}.", "RGPD art. 34(2)", found[0][:QUOTED])
