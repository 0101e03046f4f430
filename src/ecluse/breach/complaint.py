"""A victim's complaint, filled in with what is known: to whom, what happened, what is complained of. Never sent for anybody.

Pure. What the facts leave out is a blank to fill by hand, and is listed. Addressees and articles are law/complaints.toml.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ecluse.breach.facts import BAD_FACTS, Sent
from ecluse.breach.letter import rules
from ecluse.breach.letters.compose import Block, day, days, plain_text
from ecluse.breach.letters.words import words
from ecluse.breach.tables import Row, load, version
from ecluse.kernel.patterns import END

BLANK = "……………………………"
TITLE = "Plainte"

Line = Annotated[str, Meta(max_length=200, pattern=rf"^[^\x00-\x1f\ue000-\uf8ff]*{END}")]
Long = Annotated[str, Meta(max_length=2000, pattern=rf"^[^\x00-\x09\x0b-\x1f\ue000-\uf8ff]*{END}")]


class Complainant(Sent, frozen=True, kw_only=True):
    """Who complains, as the form of February 2024 asks; a minor's complaint is made by their `representative`."""

    last_name: Line = ""
    first_name: Line = ""
    birth_date: Line = ""
    birth_place: Line = ""
    address: Annotated[list[Line], Meta(max_length=6)] = msgspec.field(default_factory=list)
    phone: Line = ""
    email: Line = ""
    representative: Line = ""


class Complaint(Sent, frozen=True, kw_only=True):
    """The facts of one complaint. `inquiry` names an addressee of the table; `addressee` states another one."""

    person: Complainant = msgspec.field(default_factory=Complainant)
    insurer: Line = ""
    incident: Line = ""
    inquiry: Line = ""
    addressee: Annotated[list[Line], Meta(max_length=8)] = msgspec.field(default_factory=list)
    since: date | None = msgspec.field(default=None, name="from")
    until: date | None = msgspec.field(default=None, name="to")
    told_on: date | None = None
    fields: Annotated[list[Line], Meta(max_length=50)] = msgspec.field(default_factory=list)
    identity_used: bool = False
    money_lost: bool = False
    what_followed: Long = ""
    place: Line = ""
    on: date | None = None


class Addressed(Row, frozen=True):
    """Where a complaint goes, how, and who says so."""

    to: tuple[str, ...]
    how: str
    source: str
    says: str = ""


class Offence(Row, frozen=True):
    """What is complained of: an article of the code pénal, in plain words."""

    article: str
    says: str
    source: str
    when: Literal["", "identity_used", "money_lost"] = ""


class Complaints(Row, frozen=True):
    """complaints.toml."""

    default: Addressed
    inquiries: dict[str, Addressed]
    offences: tuple[Offence, ...]


class Prepared(msgspec.Struct, frozen=True):
    """The complaint as text, its addressee, its articles with their sources, what is left to fill. `sent` is always false."""

    text: str
    to: tuple[str, ...]
    how: str
    articles: tuple[Offence, ...]
    sources: tuple[str, ...]
    to_fill: tuple[str, ...]
    sent: bool
    rules_version: str


@cache
def table() -> Complaints:
    """The table."""
    return load("complaints.toml", Complaints)


def prepare(facts: Complaint) -> tuple[Prepared, tuple[Block, ...]]:
    """The complaint, and its blocks to be printed. Raises `facts_invalid` for an inquiry or a field without words."""
    where = _addressee(facts)
    articles = tuple(each for each in table().offences if not each.when or getattr(facts, each.when))
    blocks = (*_blocks(facts, where, articles),)
    text = "\n".join((*where.to, "", TITLE, plain_text(blocks)))
    sources = tuple(dict.fromkeys((where.source, *(each.source for each in articles))))
    return Prepared(text, where.to, where.how, articles, sources, _to_fill(facts), False, version()), blocks


def _addressee(facts: Complaint) -> Addressed:
    if facts.inquiry and facts.inquiry not in table().inquiries:
        raise BAD_FACTS(
            "no such inquiry is known",
            pointer="/inquiry",
            fix=f"Accepted here: {', '.join(table().inquiries)}; or state `addressee`.",
        )
    found = table().inquiries.get(facts.inquiry, table().default)
    if facts.addressee:
        return Addressed(
            tuple(facts.addressee), "Envoyez-la à cette adresse.", "adresse donnée avec les faits", found.says
        )
    return found


def _to_fill(facts: Complaint) -> tuple[str, ...]:
    wanted = ("last_name", "first_name", "birth_date", "address")
    missing = [name for name in wanted if not getattr(facts.person, name)]
    return (
        *missing,
        *(name for name in ("insurer", "fields") if not getattr(facts, name)),
        *(() if facts.since else ("from",)),
    )


def _blocks(facts: Complaint, where: Addressed, articles: tuple[Offence, ...]) -> list[Block]:
    person = facts.person
    name = f"{person.first_name or BLANK} {person.last_name or BLANK}"
    identity = (
        f"Nom et prénom : {name}",
        f"Né(e) le {person.birth_date or BLANK} à {person.birth_place or BLANK}",
        f"Adresse : {', '.join(person.address) or BLANK}",
        f"Téléphone : {person.phone or BLANK}",
        f"Courriel : {person.email or BLANK}",
        f"Mutuelle ou assureur santé : {facts.insurer or BLANK}",
        *((f"Représenté(e) par : {person.representative}",) if person.representative else ()),
    )
    followed = (facts.what_followed,) if facts.what_followed else ("Depuis, j'ai constaté : " + BLANK,)
    return [
        Block("h", ("Qui porte plainte",)),
        Block("p", identity),
        Block("h", ("Les faits",)),
        Block("p", tuple(_facts(facts, where))),
        Block("ul", tuple(_fields(facts)) or (BLANK,)),
        Block("p", followed),
        Block("h", ("Ma plainte",)),
        Block("p", ("Je porte plainte contre X, ou contre toute personne que l'enquête fera connaître, pour :",)),
        Block("ul", tuple(f"{each.says} (code pénal, article {each.article})" for each in articles)),
        Block("p", ("Je demande à être tenu(e) au courant des suites.",)),
        Block(
            "p", (f"Fait à {facts.place or BLANK}, le {day(facts.on) if facts.on else BLANK}", f"Signature de {name} :")
        ),
    ]


def _facts(facts: Complaint, where: Addressed) -> list[str]:
    when = days(facts.since, facts.until or facts.since) if facts.since else f"le {BLANK}"
    known = f" ({where.says})" if where.says else f" ({facts.incident})" if facts.incident else ""
    told = f"Ma mutuelle me l'a écrit le {day(facts.told_on)}." if facts.told_on else "Ma mutuelle me l'a écrit."
    return [f"Quelqu'un a lu mes données sans en avoir le droit, {when}{known}.", told, "Voici ce qui a été vu :"]


def _fields(facts: Complaint) -> list[str]:
    for name in facts.fields:
        if name not in words().phrases:
            raise BAD_FACTS(
                "a field has no words", pointer="/fields", fix=f"Accepted here: {', '.join(rules().fields)}."
            )
    return [words().phrases[name].mine for name in facts.fields]
