"""What an insurer gets beside lists and form: counts, register entry (GDPR 33(5)), DORA fields, what its letters share. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from ecluse.breach.dora.incident import Asked, Entity, Stage
from ecluse.breach.dora.report import reports
from ecluse.breach.incident.cnil import Case, description
from ecluse.breach.incident.events import HUB
from ecluse.breach.incident.follows import own_of, question_of, timed_dora_of
from ecluse.breach.incident.view import at, counts
from ecluse.breach.shown import sentences, table
from ecluse.exposure.answer import Exposure

STAGES: tuple[Stage, ...] = ("initial", "intermediate")
CONSEQUENCES = (
    "Quelqu'un peut vous appeler ou vous écrire en se faisant passer pour votre mutuelle : il sait que vous y êtes couvert.",
    "Quelqu'un peut se servir de ces informations pour un faux remboursement.",
)
FOR_PERSON = (
    "Raccrochez si on vous demande un code ou un compte bancaire, puis rappelez votre mutuelle au numéro de votre carte.",
    "Vérifiez vos remboursements sur votre compte.",
    "Signalez à votre mutuelle ce que vous ne reconnaissez pas.",
)


def counts_of(name: str, case: Case, exposure: Exposure) -> dict[str, Any]:
    """Referenced, reachable, displayed; by field, day, account and place, as the exposure answered them for this insurer."""
    told: dict[str, Any] = {"incident": name, "version": case.incident.version, "exposure_id": exposure.exposure_id}
    part = next((each for each in exposure.insurers if each.insurer == case.insurer), None)
    own = {"displayed_by": msgspec.to_builtins(part.displayed)} if part else {}
    return told | (counts(case.part) if case.part else {}) | own | {"gaps": msgspec.to_builtins(exposure.gaps)}


def register_of(name: str, case: Case) -> dict[str, Any]:
    """The register's entry: facts, effects, remedies, and why who was told, or was not."""
    asked, part, decided = question_of(case.incident), case.part, case.decided
    return {
        "texte": "RGPD art. 33(5)",
        "incident": name,
        "version": case.incident.version,
        "faits": {
            "decouvert": at(case.incident.opened.found_us),
            "comment": case.incident.opened.how_found,
            "du": at(asked.start_ts_us),
            "au": at(asked.end_ts_us),
            "comptes": asked.accounts,
            "donnees": sentences(part.fields) if part else (),
            "personnes": {"au_moins": part.at_least, "au_plus": part.at_most} if part else None,
        },
        "effets": case.own.likely_consequences or CONSEQUENCES,
        "mesures": {
            "avant": case.own.measures_before or (),
            "prises": case.own.measures_taken or (),
            "prevues": case.own.measures_planned or (),
        },
        "decision": {
            "signee_par": decided.by,
            "registre": decided.signed.register,
            "cnil": decided.signed.authority,
            "personnes": decided.signed.persons,
            "motif": decided.signed.motive,
            "raisons": decided.answer.get("why", []),
            "regles": decided.answer.get("rules_version", ""),
        }
        if decided
        else None,
    }


def _dora_fields(name: str, case: Case) -> dict[str, Any]:
    """What the incident itself says of the template: its reference, what happened, whose system, since when, which data."""
    hub, words = own_of(case.incident, HUB).hub_name, sentences(case.part.fields) if case.part else ()
    return {
        "2.1": name,
        "2.4": description(case),
        "2.8": hub,
        "3.2": at(question_of(case.incident).start_ts_us),
        "3.21": f"Affiché : {' ; '.join(words)}." if words else None,
    }


def dora_reports_of(name: str, case: Case, today: date) -> dict[str, Any]:
    """The classification that was signed, and the fields of the first two reports: filled, missing, wrong."""
    facts, own = timed_dora_of(case.incident, case.insurer), case.own
    entities = [Entity(name=own.organisation or case.insurer, lei=own.lei, incident=facts)] if own.lei else []
    told: dict[str, Any] = {"classification": case.decided.dora if case.decided else None}
    for stage in STAGES:
        asked = Asked(stage=stage, fields={**_dora_fields(name, case), **(own.dora_fields or {})}, entities=entities)
        told[stage] = reports(facts, asked, today)["reports"][0]
    return told


def letters_of(name: str, case: Case, people: int) -> dict[str, Any]:
    """What all letters of an insurer share (docs/breach.md, Fichier des courriers)."""
    asked, own, hub = question_of(case.incident), case.own, own_of(case.incident, HUB)
    told: dict[str, Any] = {
        "incident": name,
        "version": case.incident.version,
        "insurer": case.insurer,
        "from": at(asked.start_ts_us),
        "to": at(asked.end_ts_us),
        "found_at": at(case.incident.opened.found_us),
        "how_found": case.incident.opened.how_found,
        "people": people,
        "sent_by": hub.hub_name,
        "known_before": table().typed.say,
        "nature": own.description,
        "likely_consequences": own.likely_consequences or CONSEQUENCES,
        "measures_taken": own.measures_taken or (),
        "measures_for_person": own.measures_for_person or FOR_PERSON,
        "dpo_contact": own.dpo_contact,
        "phone": own.phone,
        "complaint_reference": own.complaint_reference,
    }
    return told | {"to_fill": [each for each, value in told.items() if value is None or value == ()]}
