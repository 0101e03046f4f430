"""ENISA's severity of a breach, SE = DPC × EI + CB (2013), every term explained. It is shown; it decides nothing by itself.

DPC is 1 to 4, EI 0.25 to 1, CB the sum of what happened; the band goes up at 2, 3 and 4, never at 1.99. Terms come as words or as
numbers; or they are read off the facts, with the most cautious reading where the facts do not say.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from ecluse.breach.facts import BAD_FACTS, Circumstances, Context, Enisa, Identification
from ecluse.breach.harm import facets
from ecluse.breach.known import Known
from ecluse.breach.tables import Row, load, risk_table

BandName = Literal["low", "medium", "high", "very_high"]
OVER = 100  # people, above which ENISA raises a flag beside the score


class Step(Row, frozen=True):
    """What is added, and why."""

    by: float
    say: str


class Band(Row, frozen=True):
    """A band holds scores below `below`."""

    name: BandName
    below: float


class Method(Row, frozen=True):
    """enisa.toml."""

    source: str
    base: dict[str, int]
    adjust: dict[str, dict[str, dict[str, Step]]]
    identifiers: dict[str, dict[str, float]]
    circumstances: dict[str, dict[str, Step]]
    bands: tuple[Band, ...]


class Severity(msgspec.Struct, frozen=True, omit_defaults=True):
    """The score and its terms; a term that was not given is left out. `terms` explains each, in French."""

    dpc: float | None = None
    ei: float | None = None
    cb: float | None = None
    se: float | None = None
    band: BandName | None = None
    terms: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@cache
def method() -> Method:
    """The method's tables."""
    return load("enisa.toml", Method)


def stated(enisa: Enisa) -> Severity:
    """The score of terms that somebody judged. Raises `facts_invalid` for an identifier or condition not in the tables."""
    dpc, terms = _context(enisa.dpc) if isinstance(enisa.dpc, Context) else (enisa.dpc, [])
    ei, cb = enisa.ei, enisa.cb
    if isinstance(ei, Identification):
        ei, said = _identification(ei)
        terms = [*terms, said]
    if isinstance(cb, Circumstances):
        cb, said_of = _circumstances(cb)
        terms = [*terms, *said_of]
    return _scored(dpc, ei, cb, terms, se=enisa.se)


def derived(found: Known) -> Severity:
    """The score that the facts give by themselves, read with caution (union of fields per person)."""
    contexts = [each for each in found.categories if each.kind != "credential"]
    top = max(contexts, key=lambda each: each.dpc, default=None)
    dpc = float(top.dpc if top else 1)
    terms = [f"DPC {dpc:g} : {top.label if top else 'identifiants seuls, selon ce qu’ils ouvrent'}"]
    if found.sent.vulnerable_persons and top and top.kind == "simple":
        dpc, terms = 4.0, [*terms, "DPC 4 : personnes vulnérables"]
    ei, said = _ease(found)
    words = Circumstances(
        confidentiality=_confidentiality(found),
        integrity="altered_recoverable" if found.integrity else None,
        availability=_availability(found),
        malice=found.malicious,
    )
    cb, said_of = _circumstances(words)
    flags = [f"plus de {OVER} personnes"] if found.persons > OVER else []
    flags += [] if found.readable else ["données illisibles"]
    return _scored(dpc, ei, cb, [*terms, said, *said_of], flags=flags)


def _scored(
    dpc: float | None,
    ei: float | None,
    cb: float | None,
    terms: list[str],
    *,
    se: float | None = None,
    flags: list[str] | None = None,
) -> Severity:
    if dpc is not None and ei is not None and cb is not None:
        computed = dpc * ei + cb
        if se is not None and abs(se - computed) > 1e-9:
            raise BAD_FACTS(f"se is {se:g} but DPC × EI + CB is {computed:g}", pointer="/enisa/se", fix="Leave se out.")
        se = computed
        terms = [*terms, f"SE {se:g} = {dpc:g} × {ei:g} + {cb:g} ({method().source})"]
    band = next((each.name for each in method().bands if se < each.below), None) if se is not None else None
    return Severity(dpc, ei, cb, se, band, tuple(terms), tuple(flags or ()))


def _context(context: Context) -> tuple[float, list[str]]:
    if context.category == "credentials":
        if context.opens is None:
            raise BAD_FACTS(
                "credentials score as what they open", pointer="/enisa/dpc/opens", fix="Say what they open."
            )
        value, terms = _context(context.opens)
        return value, ["DPC des identifiants : celui de ce qu'ils ouvrent", *terms]
    value = method().base[context.category]
    terms = [f"DPC {value} : {context.category}"]
    for name in ("assumption", "insight", "reveals"):
        word = getattr(context, name)
        if word is None:
            continue
        step = method().adjust[context.category].get(name, {}).get(word)
        if step is None:
            known = ", ".join(f"{key} {'|'.join(steps)}" for key, steps in method().adjust[context.category].items())
            detail = f"{name} {word} does not go with {context.category} data"
            raise BAD_FACTS(detail, pointer=f"/enisa/dpc/{name}", fix=f"Accepted there: {known}.")
        value += int(step.by)
        terms.append(f"DPC {step.by:+g} : {step.say}")
    return float(min(max(value, 1), 4)), terms


def _identification(ei: Identification) -> tuple[float, str]:
    conditions = method().identifiers.get(ei.identifier)
    if conditions is None:
        names = ", ".join(method().identifiers)
        raise BAD_FACTS(
            "not an identifier of the method", pointer="/enisa/ei/identifier", fix=f"Accepted here: {names}."
        )
    if ei.condition not in conditions:
        names = ", ".join(conditions)
        raise BAD_FACTS("not a condition of it", pointer="/enisa/ei/condition", fix=f"Accepted here: {names}.")
    value = conditions[ei.condition]
    return value, f"EI {value:g} : {ei.identifier}, {ei.condition}"


def _circumstances(cb: Circumstances) -> tuple[float, list[str]]:
    total, terms = 0.0, []
    for name, words in method().circumstances.items():
        word = getattr(cb, name)
        if word is None:
            continue
        step = words[word if isinstance(word, str) else ("yes" if word else "no")]
        total += step.by
        terms.append(f"CB +{step.by:g} : {step.say}")
    return total, terms


def _ease(found: Known) -> tuple[float, str]:
    have = facets(found.categories)
    if "name" in have and have & {"birth_date", "reach", "document", "minor", "care"}:
        return 1.0, "EI 1 : nom et autre identifiant"
    if have & {"name", "document"}:
        return 0.75, "EI 0.75 : nom seul, ou numéro qui révèle sexe, année et mois de naissance"
    if "reach" in have:
        return 0.5, "EI 0.5 : coordonnées seules"
    return 0.25, "EI 0.25 : aucun identifiant direct"


def _confidentiality(found: Known) -> Literal["no_evidence_of_access", "known_recipients", "unknown_recipients"] | None:
    if not found.confidentiality:
        return None
    if found.sent.exfiltration == "none_proved":
        return "no_evidence_of_access"
    row = risk_table().recipients.get(found.sent.recipient or "")
    known = (
        row is not None
        and (row.bound or not row.hostile)
        and found.sent.recipient not in ("public", "many_wrong_persons")
    )
    return "known_recipients" if known else "unknown_recipients"


def _availability(found: Known) -> Literal["easy_recovery", "temporary", "permanent"] | None:
    if not found.availability:
        return None
    if found.sent.backup is False and found.sent.restored_within_h is None:
        return "permanent"
    return "temporary" if found.outage > 1 else "easy_recovery"
