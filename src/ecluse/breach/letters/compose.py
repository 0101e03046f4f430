"""A letter from what the journal proves: blocks of French text with places for what is each person's own.

Letters that say the same fields of the same readers share one `Body`, held to `ecluse letters lint` once and refused if a rule
is broken. What changes from letter to letter (name, days, times, code) has no word that a rule looks for but the days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Literal

import msgspec

from ecluse.breach.letter import Finding, Letter, Linted, lint
from ecluse.breach.letters.pack import About
from ecluse.breach.letters.words import To, actions, consequences, denied, phrases, words
from ecluse.kernel.errors import refusal

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
# Places in a body. Private-use characters: no contact and no pack may hold them, so that a value is never taken for a place.
PLACES = {"greeting": "\ue000", "child": "\ue001", "when": "\ue002", "times": "\ue003", "code": "\ue004"}

LETTER_REFUSED = refusal(
    "letter_refused",
    422,
    "A letter may not be sent as it is",
    fix="Change the sentences that the incident or the sender's file gives; `ecluse letters lint` has the rules.",
)

Kind = Literal["p", "h", "ul", "ol", "code"]
ACCESS = frozenset({"login"})  # of whom only this was taken, the account was used: no record of theirs was read


class Block(msgspec.Struct, frozen=True):
    """A paragraph, a heading, a list, or the code."""

    kind: Kind
    lines: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """What stands on the paper around the blocks."""

    title: str
    sender: tuple[str, ...]
    to: tuple[str, ...]
    on: date


class Shape(msgspec.Struct, frozen=True):
    """What decides the words of a letter, beside the incident."""

    to: To
    shown: frozenset[str]
    not_shown: frozenset[str]
    by: tuple[str, ...]
    normal_care: bool
    child: bool


class Body(msgspec.Struct, frozen=True, eq=False):  # one a shape: found again by what it is, not by comparing two pages
    """The words that letters of one shape share, with places; the fields that it says were not seen."""

    blocks: tuple[Block, ...]
    denied: tuple[str, ...]


def body(shape: Shape, about: About) -> Body:
    """Write it, and hold it to the rules. Raises `letter_refused` with the first rule that it breaks."""
    written = _written(shape, about)
    if findings := linted(written, shape, _EXAMPLE).findings:
        raise LETTER_REFUSED(f"{findings[0].rule}: {findings[0].say} {findings[0].quote}".strip())
    return written


def read_over(shape: Shape, about: About) -> tuple[str, tuple[Finding, ...]]:
    """The letter to somebody made up, and the rules it breaks: to be read before any is made."""
    written = _written(shape, about)
    return filled(plain_text(written.blocks), _EXAMPLE), linted(written, shape, _EXAMPLE).findings


def _written(shape: Shape, about: About) -> Body:
    return Body(tuple(_blocks(shape, about)), tuple(denied(shape.not_shown)))


def linted(written: Body, shape: Shape, values: Mapping[str, str]) -> Linted:
    """What the rules say of a letter with these values."""
    text = filled(plain_text(written.blocks), values)
    shown, not_shown = sorted(shape.shown), [*written.denied]
    return lint(Letter(text=text, shown=shown, not_shown=not_shown, minor=shape.child, via_holder=shape.child))


def plain_text(blocks: tuple[Block, ...]) -> str:
    """As an e-mail says it; places are kept."""
    return "\n".join(_plain(each) for each in blocks)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The same with each person's own in its place; a value is never looked into for places."""
    parts = _parts(text)
    return "".join([values[part] if at % 2 else part for at, part in enumerate(parts)])


@lru_cache(4096)
def _parts(text: str) -> list[str]:
    """The text cut at its places: words, the name of a place, words, and so on."""
    names = {character: name for name, character in PLACES.items()}
    cut = re.split(f"([{''.join(names)}])", text)
    return [names.get(part, part) if at % 2 else part for at, part in enumerate(cut)]


def day(of: date) -> str:
    """A day in French words."""
    return f"{'1er' if of.day == 1 else of.day} {MONTHS[of.month - 1]} {of.year}"


def days(first: date, last: date) -> str:
    """When something was read."""
    return f"le {day(first)}" if first == last else f"entre le {day(first)} et le {day(last)}"


def often(times: int) -> str:
    """How many times, in words."""
    return "une fois" if times == 1 else f"{times} fois"


def _plain(block: Block) -> str:
    match block.kind:
        case "h":
            return f"\n{block.lines[0]}"
        case "ul":
            return "\n".join(f"- {line}" for line in block.lines)
        case "ol":
            return "\n".join(f"{at}. {line}" for at, line in enumerate(block.lines, 1))
        case "code":
            return f"\n    {block.lines[0]}\n"
        case "p":
            return "\n".join(block.lines)


def _blocks(shape: Shape, about: About) -> Iterator[Block]:
    yield Block("p", (f"{PLACES['greeting']},",))
    yield Block("p", tuple(_who(shape, about)))
    yield Block("h", ("Ce qui s'est passé",))
    yield Block("p", tuple(_what(shape, about)))
    if len(shape.by) > 1:
        yield Block("ul", shape.by)
    yield Block("h", ("Ce qui a été vu :",))
    yield Block("ul", tuple(phrases(shape.shown, shape.child)))
    if about.known_before and shape.to == "person":
        yield Block("p", (words().known_before_child if shape.child else about.known_before,))
    if not_seen := phrases(denied(shape.not_shown), shape.child):
        yield Block("h", ("Ce qui n'a pas été vu dans nos réponses :",))
        yield Block("ul", tuple(not_seen))
    yield Block("h", ("Ce que cela peut entraîner",))
    yield Block("p", tuple(consequences(shape.to, shape.shown, shape.child)))
    yield Block("h", ("Ce que vous pouvez faire :",))
    yield Block("ol", tuple(actions(shape.to, shape.shown, shape.child)))
    yield Block("h", ("Ce que nous avons fait",))
    yield Block("p", about.measures)
    yield from _afterwards(shape, about)


def _who(shape: Shape, about: About) -> Iterator[str]:
    name = f", {about.sender.name}" if about.sender.name else ""
    if shape.to == "professional":
        yield f"Nous gérons le tiers payant avec vous{name}."
        return
    yield f"Nous sommes votre mutuelle{name}."
    if about.operator:
        yield f"Une autre société travaille pour nous : {about.operator}. Elle répond aux soignants."
    if shape.child:
        yield f"Nous vous écrivons au sujet de votre enfant {PLACES['child']}, car vous êtes titulaire du contrat."


def _what(shape: Shape, about: About) -> Iterator[str]:
    yield f"Un compte a servi à quelqu'un qui n'en avait pas le droit, {days(about.since, about.until)}."
    if shape.to == "professional" and shape.shown <= ACCESS:
        yield f"Ce compte est le vôtre. Il a servi {PLACES['times']}, {PLACES['when']}."
        return
    whose = f"La fiche de votre enfant {PLACES['child']}" if shape.child else "Votre fiche"
    yield f"{whose} a été lue {PLACES['times']}, {PLACES['when']}."
    if shape.normal_care and shape.to == "person":
        yield "Un soin a été enregistré pour cette fiche. Dites-nous si ce soin n'a pas eu lieu."
    if shape.by:
        yield "Elle l'a été par :" if len(shape.by) > 1 else f"Elle l'a été par {shape.by[0]}."


def _afterwards(shape: Shape, about: About) -> Iterator[Block]:
    if shape.to == "person":
        yield Block("h", ("Vos soins",))
        yield Block("p", ("Vos soins et votre contrat ne changent pas. Votre carte reste valable.",))
    yield Block("h", ("Porter plainte",))
    yield Block("p", ("Vous pouvez porter plainte. Demandez-nous une plainte déjà remplie : il reste à la signer.",))
    yield Block("h", ("Vérifier que cette lettre est vraie",))
    where = f" Vous pouvez aussi taper cette adresse : {about.sender.check_at}." if about.sender.check_at else ""
    ask = f"Appelez le {about.phone} et lisez ce code. Nous vous dirons si la lettre est vraie.{where}"
    yield Block("p", (ask, "Nous vous demandons seulement votre nom, et rien d'autre."))
    yield Block("code", (f"Code : {PLACES['code']}",))
    yield Block("h", ("Nous joindre",))
    hours = f", {about.sender.hours}" if about.sender.hours else ""
    yield Block("p", (f"Téléphone : {about.phone}{hours}.", f"Délégué à la protection des données : {about.dpo}."))
    if about.sender.signed_by:
        yield Block("p", (about.sender.signed_by,))


_EXAMPLE = {
    "greeting": "Madame Martin",
    "child": "Alix",
    "when": "entre le 28 janvier 2024 et le 1er février 2024",
    "times": "12 fois",
    "code": "0000-0000-0000-0000-0000",
}  # the longest form of each
