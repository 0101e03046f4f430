"""DORA reports: one for each insurer, and one for all of them where article 7 of 2025/302 allows it. Pure.

What the incident's facts say fills the fields they answer; what somebody wrote in `fields` is never overwritten.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from ecluse.breach.clocks import utc
from ecluse.breach.dora.classify import Classified, affected_clients, classify, stated
from ecluse.breach.dora.incident import Aggregation, Asked, Dora, Entity, Incident
from ecluse.breach.dora.template import Filled, as_duration, fill, minutes, template

TYPES = {
    "initial": "initial notification",
    "intermediate": "intermediate report",
    "final": "final report",
    "reclassified": "major incident reclassified as non-major",
}
REPUTATION = {"media": 0, "complaints": 1, "regulatory_requirements_not_met": 2, "loss_of_clients": 3}
ARTICLE = "règl. d'exécution (UE) 2025/302 art. 7(1)"


def reports(facts: Dora, asked: Asked, day: date) -> dict[str, Any]:
    """`reports`, one for each entity (or one for the incident as sent), and `aggregated` or why there is none."""
    entities = asked.entities
    if not entities:
        single = _report(facts, asked, Entity(name="", lei="", incident=facts), classify(facts, day))
        return {"reports": [_shown(single, None, classify(facts, day))]}
    classified = [classify(each.incident, day) if stated(each.incident) else classify(facts, day) for each in entities]
    each_report = [_report(facts, asked, each, found) for each, found in zip(entities, classified, strict=True)]
    answer: dict[str, Any] = {
        "reports": [_shown(*one) for one in zip(each_report, entities, classified, strict=True)],
    }
    if asked.aggregation is not None:
        refused = refusals(asked.aggregation, classified)
        if refused:
            answer["aggregated_not_allowed"] = refused
        else:
            answer["aggregated"] = _shown(_aggregated(asked, entities, each_report), None, None)
    return answer


def refusals(terms: Aggregation, classified: list[Classified]) -> list[str]:
    """The conditions of article 7 that are not established; none: one report may stand for all."""
    conditions = (
        ("a", terms.from_third_party, "l'incident ne vient pas d'un prestataire tiers de services TIC"),
        ("b", terms.serves_several and len(classified) > 1, "le prestataire ne sert pas plusieurs entités"),
        ("c", all(each.major for each in classified), "toutes les entités ne classent pas l'incident majeur"),
        ("d", len(set(terms.member_states)) == 1, "un seul État membre n'est pas établi"),
        ("d", len(set(terms.authorities)) == 1, "une seule autorité compétente n'est pas établie"),
        ("e", terms.permitted_by_authority, "l'autorité compétente ne l'a pas permis expressément"),
    )
    found = [f"{say} ({ARTICLE}({point}))." for point, holds, say in conditions if not holds]
    if terms.excluded_entity:
        found.append("une entité est de celles qui déclarent seules (règl. d'exécution (UE) 2025/302 art. 7(2)).")
    return found


def _report(facts: Dora, asked: Asked, entity: Entity, found: Classified) -> Filled:
    values = _from_times(facts) | _from_incident(entity.incident, found)
    if entity.name:
        values |= {"1.5": entity.name, "1.6": entity.lei}
    values |= {"1.1": TYPES[asked.stage], **asked.fields, **entity.fields}
    return fill(values, _stage(asked), frozenset(asked.stated) | _implied(entity.incident))


def _stage(asked: Asked) -> str:
    return "initial" if asked.stage == "reclassified" else asked.stage


def _implied(incident: Incident) -> frozenset[str]:
    """What the incident's facts state by themselves."""
    facts = {
        "relevant_clients": bool(incident.relevant_clients),
        "transactions": bool(incident.transactions or incident.transactions_pct),
        "downtime": bool(incident.downtime_h),
        "recurring": incident.recurring is not None,
    }
    return frozenset(name for name, value in facts.items() if value)


def _from_times(facts: Dora) -> dict[str, Any]:
    times = {"2.2": facts.aware, "2.3": facts.classified}
    return {code: utc(moment) for code, moment in times.items() if moment}


def _from_incident(incident: Incident, found: Classified) -> dict[str, Any]:
    clients, total = affected_clients(incident), incident.clients_total
    pct = incident.clients_pct
    if pct is None and clients is not None and total:
        pct = 100 * clients / total
    values: dict[str, Any] = {
        "2.5": found.criteria or None,
        "3.4": clients,
        "3.5": pct,
        "3.6": incident.counterparts,
        "3.7": incident.counterparts_pct,
        "3.8": incident.relevant_clients,
        "3.9": incident.transactions,
        "3.10": incident.transactions_pct,
        "3.13": [template().fields["3.13"].choices[at] for name, at in REPUTATION.items() if getattr(incident, name)]
        or None,
        "3.15": None if incident.duration_h is None else as_duration(incident.duration_h),
        "3.16": as_duration(incident.downtime_h) if incident.downtime_h else None,
        "3.20": incident.data_losses or None,
        "4.13": None if incident.costs_eur is None else incident.costs_eur / 1000,
    }
    if isinstance(incident.member_states, list) and found.met["9(4)"]:
        values["2.6"] = incident.member_states
    return {code: value for code, value in values.items() if value is not None}


def _aggregated(asked: Asked, entities: list[Entity], each_report: list[Filled]) -> Filled:
    """One report for all (article 7, with annex II's word for each field on how to join)."""
    values = {**_joined([each.fields for each in each_report]), **asked.fields, "1.1": TYPES[asked.stage]}
    affected = [each for each in (affected_clients(one.incident) for one in entities) if each is not None]
    totals = [one.incident.clients_total for one in entities if one.incident.clients_total]
    if len(affected) == len(totals) == len(entities):
        values["3.5"] = 100 * sum(affected) / sum(totals)
    stated_by_all = frozenset(asked.stated).union(*(_implied(each.incident) for each in entities))
    return fill(values, _stage(asked), stated_by_all | {"other_entity", "third_party"})


def _joined(filled: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for code, row in template().fields.items():
        held = [each[code] for each in filled if code in each]
        if not held or not row.merge:
            continue
        if row.merge == "sum":
            values[code] = sum(held) if len(held) == len(filled) else None  # a sum with a part missing is no total
        elif row.merge == "union":
            values[code] = list(dict.fromkeys(word for each in held for word in each))
        elif row.merge == "longest":
            values[code] = max(held, key=minutes)
        else:
            values[code] = ";".join(held)
    return {code: value for code, value in values.items() if value is not None}


def _shown(filled: Filled, entity: Entity | None, found: Classified | None) -> dict[str, Any]:
    rows = template().fields
    shown: dict[str, Any] = {"entity": {"name": entity.name, "lei": entity.lei}} if entity else {}
    if found is not None:
        shown["major"] = found.major
    return shown | {
        "complete": not filled.missing and not filled.wrong,
        "fields": filled.fields,
        "missing": [{"code": code, "name": rows[code].name} for code in filled.missing],
        "wrong": [msgspec.structs.asdict(each) for each in filled.wrong],
    }
