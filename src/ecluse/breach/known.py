"""What is known of an incident, ready to be judged: the facts, and the mildest and worst case of each that is not known.

A decision is taken when both readings agree. That is only right if worse facts never give a milder decision: harm.py promises
it, and the tests try it on facts drawn at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from ecluse.breach.facts import BAD_FACTS, Classified, Facts
from ecluse.breach.tables import Category, category_table, of_class, risk_table

INSIDER = "internal_malicious"  # known, and seldom out to harm people: as one who left with data (EDPB 01/2021, no 08)
UNKNOWN = ("unknown", "other", "not_determined")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Facts without a hole. `exposure` is how likely the data are misused, 0 to 3; `outage` how bad their absence is, 0 to 3."""

    malicious: bool = False
    confidentiality: bool = False
    integrity: bool = False
    availability: bool = False
    categories: tuple[Category, ...] = ()
    persons: int = 1
    exposure: int = 0
    outage: int = 0
    readable: bool = True
    sent: Facts = Facts()


class Gap(msgspec.Struct, frozen=True):
    """A fact not known: its name in the vocabulary, and what it may be."""

    name: str
    mildest: dict[str, Any]
    worst: dict[str, Any]


def known(facts: Facts) -> tuple[Known, tuple[Gap, ...]]:
    """What is known, and the gaps; a gap's own fields in `Known` hold nothing yet."""
    found, gaps = Known(sent=facts), []
    for part in (_data, _nature, _cause, _persons, _protection):
        changes, missing = part(facts)
        found = replace(found, **changes)
        gaps += missing
    for likely in (_exposure, _outage):  # these look at nature and cause as read so far
        changes, missing = likely(facts, found)
        found = replace(found, **changes)
        gaps += missing
    return found, tuple(gaps)


Read = tuple[dict[str, Any], list[Gap]]


def _data(facts: Facts) -> Read:
    categories = tuple(each for each in map(category, facts.data or ()) if each)
    if facts.data and len(categories) == len(facts.data):
        return {"categories": categories}, []
    worst = (
        *categories,
        *map(of_class, ("sensitive", "financial", "national_identifier")),
        category_table()["identity"],
    )
    return {}, [Gap("data", {"categories": categories}, {"categories": worst})]


def category(sent: str | Classified) -> Category | None:
    """The category sent; None for a word that says it is not known. Raises `facts_invalid` for one without a class."""
    if isinstance(sent, Classified):
        return category_table().get(sent.category) or of_class(sent.kind)
    if sent in UNKNOWN:
        return None
    found = category_table().get(sent)
    if found is None:
        word = re.sub(r"[^\x20-\x7e]", "?", sent[:60])
        fix = f'Use one of docs/breach.md, or give its class: {{"category": "{word}", "class": "simple"}}.'
        raise BAD_FACTS(f"the data category {word!r} has no class", pointer="/data", fix=fix)
    return found


def _nature(facts: Facts) -> Read:
    named = set(facts.nature or ())
    if facts.exfiltration in ("proved", "possible") or facts.recipient or facts.impersonation or facts.accounts_opened:
        named.add("confidentiality")
    absent = facts.nature is None and facts.restored_within_h is not None
    if absent or facts.consequence_on_persons == "care_delayed" or (facts.device and facts.backup is False):
        named.add("availability")
    every = dict.fromkeys(("confidentiality", "integrity", "availability"), True)
    if named:
        return {each: True for each in every if each in named}, []
    return {}, [Gap("nature", {}, {**every, "exposure": 3, "outage": 3})]


def _cause(facts: Facts) -> Read:
    if facts.cause in (None, "unknown"):
        if facts.recipient == "criminal" or facts.impersonation or facts.device in ("stolen", "stolen_paper"):
            return {"malicious": True}, []
        open_to_all = facts.recipient is None and facts.exfiltration != "none_proved"
        return {}, [Gap("cause", {}, {"malicious": True, "exposure": 3 if open_to_all else 0})]
    return {"malicious": facts.cause in ("external_malicious", "internal_malicious")}, []


# Words for numbers, in the order they are tried; each counts as the number beside it.
WORDS = (
    (r"\b(million|thousand|large|many\b|massive|milli|nombreu)", 1_000_000),
    (r"\b(hundred|centaine)", 500),
    (r"\b(dozen|douzaine|few|handful|couple|single|one|two|three|quelques|une?)\b", 24),
)


def _persons(facts: Facts) -> Read:
    sent = facts.persons
    if isinstance(sent, int):
        return {"persons": sent}, []
    text = (sent or "").lower()
    digits = re.search(r"\d[\d   ,.']*", text)
    if digits and not re.search(WORDS[0][0], text):
        return {"persons": int(re.sub(r"\D", "", digits[0]))}, []
    for pattern, number in WORDS:
        if re.search(pattern, text):
            return {"persons": number}, []
    return {}, [Gap("persons", {"persons": 1}, {"persons": 1_000_000})]


def _protection(facts: Facts) -> Read:
    """Whether what was taken can be read. Somebody who acts as the person, or logged in, reads through any encryption."""
    if facts.impersonation or facts.accounts_opened:
        return {"readable": True}, []
    claimed = facts.unintelligible and facts.hash is None  # a hash protects passwords only: harm.py looks at it
    if (claimed or facts.encrypted_at_rest) and facts.key_safe is None and not claimed:
        return {}, [Gap("key_safe", {"readable": False}, {"readable": True})]
    if claimed or facts.encrypted_at_rest:
        return {"readable": facts.key_safe is False}, []
    if facts.device in ("stolen", "lost") and facts.encrypted_at_rest is None:
        return {}, [Gap("encrypted_at_rest", {"readable": False}, {"readable": True})]
    return {"readable": True}, []


def _exposure(facts: Facts, found: Known) -> Read:
    """How likely misuse is, given who has the data and whether they left."""
    if facts.recipient:
        base = risk_table().recipients[facts.recipient].likelihood
    elif (found.malicious and facts.cause != INSIDER) or facts.exfiltration == "proved":
        base = 3
    else:
        base = 2
    silent = facts.recipient is None and facts.exfiltration is None and facts.device is None
    if silent and found.confidentiality and not found.malicious:
        return {}, [Gap("recipient", {"exposure": 1}, {"exposure": 3})]
    if silent and found.malicious and not found.confidentiality:  # ransomware whose logs nobody has read yet
        return {}, [Gap("exfiltration", {}, {"exposure": 3, "confidentiality": True})]
    return {"exposure": min(base, 1) if facts.exfiltration == "none_proved" else base}, []


def _outage(facts: Facts, found: Known) -> Read:
    if not (found.availability or found.integrity):
        return {}, []
    if facts.restored_within_h is None and facts.backup is not False:
        return {}, [Gap("restored_within_h", {"outage": 1}, {"outage": 3})]
    hours, limits = facts.restored_within_h, risk_table().outage
    if facts.backup is False or hours is None or hours > limits.short_h:
        return {"outage": 3}, []
    return {"outage": 0 if hours <= limits.brief_h else 1}, []


def readings(found: Known, gaps: tuple[Gap, ...]) -> tuple[Known, Known]:
    """The mildest and the worst reading of what is known."""
    return filled(found, gaps, frozenset()), filled(found, gaps, frozenset(each.name for each in gaps))


def filled(found: Known, gaps: tuple[Gap, ...], worst: frozenset[str]) -> Known:
    """What is known, with the gaps named in `worst` at their worst and the others at their mildest."""
    for each in gaps:
        found = replace(found, **_joined(found, each.worst if each.name in worst else each.mildest))
    return found


def _joined(found: Known, changes: dict[str, Any]) -> dict[str, Any]:
    """No gap takes back what another one, or a fact, has set."""
    return {
        name: max(getattr(found, name), value) if isinstance(value, int) and name in ("exposure", "outage") else value
        for name, value in changes.items()
    }


def asked(gaps: tuple[Gap, ...], names: Iterable[str]) -> list[str]:
    """What to find out, in words: `name: question`."""
    wanted = set(names)
    return [f"{each.name} : {risk_table().missing[each.name]}" for each in gaps if each.name in wanted]
