"""CNIL's notification form for one insurer: in its order and words, filled with what is known, what is left to a person. Pure.

Form and choices are law/cnil_form.toml. A judgement (consequences, harm, how persons are told) is proposed, and is `to_confirm`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Literal

import msgspec

from ecluse.breach.clocks import paris
from ecluse.breach.facts import Facts
from ecluse.breach.incident.events import Decided, Part
from ecluse.breach.incident.follows import facts_of, own_of, part_of, question_of, told_us
from ecluse.breach.incident.own import Own
from ecluse.breach.incident.state import Incident
from ecluse.breach.known import category
from ecluse.breach.shown import sentences
from ecluse.breach.tables import Row, category_table, load
from ecluse.kernel.days import instant

Status = Literal["filled", "to_confirm", "to_fill", "empty"]
NATURES = ("confidentiality", "integrity", "availability")
CAUSES = {
    "internal_malicious": 0,
    "internal_accidental": 1,
    "external_malicious": 2,
    "external_accidental": 3,
    "unknown": 4,
}
INFORMED = ("yes", "will", "no", "undetermined")
HACKING = 3  # the place of "Piratage…" among the origins
SENSITIVE = "sensitive"


class FormField(Row, frozen=True):
    """A field of the form; `optional`: it may stay empty; `unsure`: its wording is to be checked."""

    id: str
    label: str
    choices: tuple[str, ...] = ()
    optional: bool = False
    unsure: bool = False


class FormSection(Row, frozen=True):
    """Fields under one title."""

    title: str
    fields: tuple[FormField, ...]
    unsure: bool = False


class FormTable(Row, frozen=True):
    """cnil_form.toml."""

    sections: tuple[FormSection, ...]
    data: dict[str, str]
    classes: dict[str, str]


class Filled(msgspec.Struct, frozen=True):
    """A field as it stands: what is in it, and whether a person must still do something."""

    id: str
    label: str
    status: Status
    value: Any
    choices: tuple[str, ...]
    wording_unsure: bool


class Section(msgspec.Struct, frozen=True):
    """Filled fields under one title."""

    title: str
    fields: tuple[Filled, ...]


class Form(msgspec.Struct, frozen=True):
    """The form of one insurer; `to_fill` and `to_confirm` list the ids a person must look at before it is sent."""

    incident: str
    version: int
    insurer: str
    sections: tuple[Section, ...]
    to_fill: tuple[str, ...]
    to_confirm: tuple[str, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a form is filled from. `minors`: how many of the people displayed were under eighteen; null: not counted."""

    incident: Incident
    insurer: str
    part: Part | None
    facts: Facts
    own: Own
    decided: Decided | None
    minors: int | None = None


@cache
def table() -> FormTable:
    """The form."""
    return load("cnil_form.toml", FormTable)


def case_of(incident: Incident, insurer: str, minors: int | None = None) -> Case:
    """What is known of an insurer's part."""
    standing = incident.decisions.get(insurer)
    return Case(
        incident=incident,
        insurer=insurer,
        part=part_of(incident, insurer),
        facts=facts_of(incident, insurer),
        own=own_of(incident, insurer),
        decided=standing.decided if standing else None,
        minors=minors,
    )


def form(name: str, case: Case) -> Form:
    """The form, in its order."""
    sections = tuple(
        Section(each.title, tuple(_filled(one, each.unsure, case) for one in each.fields)) for each in table().sections
    )
    fields = [one for each in sections for one in each.fields]
    need = {status: tuple(one.id for one in fields if one.status == status) for status in ("to_fill", "to_confirm")}
    return Form(name, case.incident.version, case.insurer, sections, need["to_fill"], need["to_confirm"])


def _filled(field: FormField, unsure: bool, case: Case) -> Filled:
    value = FILL[field.id](case, field) if field.id in FILL else getattr(case.own, field.id)
    if isinstance(value, datetime):
        value = paris(value.replace(microsecond=0))
    if value in (None, (), [], ""):
        return Filled(
            field.id, field.label, "empty" if field.optional else "to_fill", None, field.choices, field.unsure or unsure
        )
    status: Status = "to_confirm" if field.id in JUDGED else "filled"
    return Filled(field.id, field.label, status, value, field.choices, field.unsure or unsure)


def _choice(field: FormField, place: int | None) -> str | None:
    return None if place is None else field.choices[place]


def _kind(case: Case, field: FormField) -> str | None:
    return _choice(field, 1 if case.own.earlier_reference else 0)


def _status(case: Case, field: FormField) -> str | None:
    established = case.own.established
    if established is None:
        established = bool(case.part and case.part.at_least)
    return _choice(field, 0 if established else 1)


def _told(case: Case, _field: FormField) -> datetime | None:
    told = told_us(case.incident, case.insurer)
    return instant(told) if told else None


def _began(case: Case, _field: FormField) -> datetime:
    return instant(question_of(case.incident).start_ts_us)


def _ongoing(case: Case, field: FormField) -> str | None:
    return _choice(field, 1) if case.own.ended else None


def _late(case: Case, _field: FormField) -> str | None:
    sent = [
        each for each in case.incident.notified if (each.deadline, each.insurer) == ("gdpr_authority", case.insurer)
    ]
    return next((each.reasons for each in sent if each.reasons), None)


def _nature(case: Case, field: FormField) -> list[str]:
    return [field.choices[NATURES.index(each)] for each in case.facts.nature or ()]


def description(case: Case, _field: FormField | None = None) -> str:
    """What happened, as somebody said it, or as the scope says it."""
    if case.own.description:
        return case.own.description
    asked, part = question_of(case.incident), case.part
    people = (
        f"{part.at_least}"
        if part and part.at_least == part.at_most
        else f"{part.at_least} à {part.at_most}"
        if part
        else "?"
    )
    accounts = f"{len(asked.accounts)} compte{'s' if len(asked.accounts) > 1 else ''} de professionnel de santé"
    return (
        f"Des questions sur des droits à remboursement ont été posées avec {accounts} du gestionnaire de tiers payant. "
        f"Son journal, que l'on peut vérifier, dit ce qui a été affiché : {people} de nos assurés."
    )


def _origin(case: Case, field: FormField) -> list[str]:
    if case.own.origin:
        return [case.own.origin]
    return [field.choices[HACKING]] if case.facts.cause == "external_malicious" else []


def _cause(case: Case, field: FormField) -> str | None:
    return _choice(field, CAUSES.get(case.facts.cause or "unknown"))


def _data(case: Case, field: FormField) -> list[str]:
    words = [table().data.get(name) or table().classes.get(kind, "Autres") for name, kind in _categories(case)]
    return [each for each in field.choices if each in words] or ([field.choices[-2]] if not words else [])


def _sensitive(case: Case, field: FormField) -> list[str]:
    return [each for each in field.choices if each == table().classes[SENSITIVE] and _is_sensitive(case)]


def _categories(case: Case) -> list[tuple[str, str]]:
    found = []
    for sent in case.facts.data or ():
        known = category(sent)
        if known:
            found.append((sent if isinstance(sent, str) else sent.category, known.kind))
    return found


def _is_sensitive(case: Case) -> bool:
    return any(kind == SENSITIVE for _, kind in _categories(case))


def _data_words(case: Case, _field: FormField) -> str:
    shown = sentences(case.part.fields) if case.part else ()
    others = [category_table()[name].label for name, _ in _categories(case) if name in category_table()]
    return f"Affiché : {' ; '.join(shown)}." if shown else " ; ".join(others)


def _persons_kind(case: Case, field: FormField) -> list[str]:
    wanted = {"Adhérents"} | ({"Mineurs"} if case.minors else set())
    wanted |= {"Personnes vulnérables"} if case.facts.vulnerable_persons else set()
    return [each for each in field.choices if each in wanted]


def _persons(case: Case, _field: FormField) -> Any:
    if case.part is None:
        return None
    least, most = case.part.at_least, case.part.at_most
    return least if least == most else f"de {least} à {most}"


def _records(case: Case, _field: FormField) -> int | None:
    return case.own.records if case.own.records is not None else (case.part.times if case.part else None)


def _consequences(_case: Case, field: FormField) -> list[str]:
    return list(field.choices)


def _harm(case: Case, field: FormField) -> list[str]:
    wanted = {0, 4} if case.facts.cause in ("external_malicious", "internal_malicious") else {0}
    wanted |= {8} if _is_sensitive(case) else set()
    return [each for place, each in enumerate(field.choices) if place in wanted]


def _severity(case: Case, _field: FormField) -> str | None:
    return case.decided.answer.get("severity") if case.decided else None


def _informed(case: Case, field: FormField) -> str | None:
    said = case.own.persons_informed
    if said:
        return _choice(field, INFORMED.index(said.state))
    signed = case.decided.signed.persons if case.decided else None
    return _choice(field, {True: 1, False: 2, None: 3}[signed])


def _informed_details(case: Case, _field: FormField) -> dict[str, Any] | None:
    said = case.own.persons_informed
    return msgspec.to_builtins(said) if said else None


def _cross_border(case: Case, field: FormField) -> str | None:
    fact = case.incident.fact("member_states", case.insurer)
    if fact is None or fact.value is None:
        return None
    states = fact.value if isinstance(fact.value, int) else len(fact.value)
    return _choice(field, 0 if states > 1 else 1)


def _authorities(case: Case, _field: FormField) -> list[str]:
    complaint = case.own.complaint_reference
    return [*(case.own.other_authorities or ()), *([f"Plainte : {complaint}"] if complaint else [])]


# What fills a field; one that is not here is the fact of its name.
FILL: dict[str, Callable[[Case, FormField], Any]] = {
    "kind": _kind,
    "processors": lambda case, _field: case.own.hub_name,
    "status": _status,
    "discovered": _told,
    "began": _began,
    "ended": lambda case, _field: case.own.ended or instant(question_of(case.incident).end_ts_us),
    "told_by_processor": _told,
    "ongoing": _ongoing,
    "how_found": lambda case, _field: case.incident.opened.how_found,
    "late_reasons": _late,
    "nature": _nature,
    "description": description,
    "origin": _origin,
    "cause": _cause,
    "data": _data,
    "sensitive": _sensitive,
    "data_words": _data_words,
    "persons_kind": _persons_kind,
    "persons": _persons,
    "records": _records,
    "consequences": _consequences,
    "harm": _harm,
    "severity": _severity,
    "informed": _informed,
    "informed_details": _informed_details,
    "cross_border": _cross_border,
    "other_authorities": _authorities,
}
JUDGED = frozenset({"description", "ended", "consequences", "harm", "informed", "discovered"})
