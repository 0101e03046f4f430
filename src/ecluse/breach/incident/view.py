"""An incident as it is shown: what is known, what was decided on it, what would be decided now; as of any event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ecluse.breach.clocks import utc
from ecluse.breach.incident.events import (
    HUB,
    Closed,
    Decided,
    EvidenceMade,
    FactAdded,
    Happened,
    Notified,
    Opened,
    Packed,
    Part,
    Reopened,
    Scoped,
)
from ecluse.breach.incident.follows import Clock, follows, outdated, own_of, part_of, question_of, untold
from ecluse.breach.incident.state import Incident, fold
from ecluse.breach.times import shown as clocks_shown
from ecluse.exposure.shown import field_names
from ecluse.kernel.days import PARIS, instant

WHOLE_HUB = "hub"  # what the hub is called where insurers have their numbers


def shown(name: str, happened: Sequence[Happened], today: date) -> dict[str, Any]:
    """Everything there is to say of an incident after these events."""
    incident = fold(happened)
    stale = set(outdated(incident, today)) if incident.scoped else set()
    return {
        **summary(name, incident),
        "found_at": at(incident.opened.found_us),
        "how_found": incident.opened.how_found,
        "facts": [fact(each) for each in happened if stands(incident, each)],
        "scope": scope_told(incident),
        "decisions": [decision(incident, party, party in stale, today) for party in incident.decisions],
        "outdated": [_party(each) for each in sorted(stale)],
        "untold": untold(incident),
        "professionals": own_of(incident, HUB).professionals or (),
        "notified": [notified(each) for each in incident.notified],
        "packs": [pack(each) for each in incident.packed],
        "timeline": timeline(happened),
    }


def summary(name: str, incident: Incident) -> dict[str, Any]:
    """Which incident it is and where it stands."""
    asked = question_of(incident)
    return {
        "incident": name,
        "state": incident.state,
        "version": incident.version,
        "accounts": asked.accounts,
        "from": at(asked.start_ts_us),
        "to": at(asked.end_ts_us),
    }


def timeline(happened: Sequence[Happened], insurer: str | None = None) -> list[dict[str, Any]]:
    """What happened, in French, in the order it was recorded; for an insurer, without what concerns another one."""
    return [
        {"number": each.number, "at": at(each.at_us), "by": each.event.by, "what": _said(each, insurer)}
        for each in happened
        if insurer is None or getattr(each.event, "insurer", HUB) in (HUB, insurer)
    ]


def clocks_told(found: Sequence[Clock], now: datetime) -> dict[str, Any]:
    """Deadlines as `ecluse breach clocks` tells them, each with whose it is."""
    told = clocks_shown([each.running for each in found], now)
    whose = [{"party": _party(each.insurer)} for each in found]
    return told | {"clocks": [{**party, **line} for party, line in zip(whose, told["clocks"], strict=True)]}


def at(ts_us: int) -> str:
    """An instant, RFC 3339, UTC."""
    return utc(instant(ts_us))


def _party(insurer: str) -> str:
    return insurer or WHOLE_HUB


def stands(incident: Incident, each: Happened) -> bool:
    """Whether this event is a fact that still stands."""
    event = each.event
    return isinstance(event, FactAdded) and incident.facts.get((event.name, event.insurer)) is event


def fact(each: Happened) -> dict[str, Any]:
    """A fact, who said it, when it became known and when it was written down."""
    said = each.event
    assert isinstance(said, FactAdded)
    return {
        "name": said.name,
        "value": said.value,
        "insurer": said.insurer,
        "known_at": at(said.known_us),
        "recorded_at": at(each.at_us),
        "number": each.number,
        "by": said.by,
        "source": said.source,
    }


def scope_told(incident: Incident) -> dict[str, Any] | None:
    """The last measure, insurer by insurer; none before the first."""
    scoped = incident.scoped
    if scoped is None:
        return None
    return {
        "number": incident.scope_number,
        "exposure_id": scoped.exposure_id,
        "sha256": scoped.sha256,
        "as_of": at(scoped.as_of_us),
        "outdated": scoped.question != question_of(incident),
        "lists_shown": scoped.lists_shown,
        "insurers": [counts(each) for each in scoped.parts],
    }


def scope_of_insurer(incident: Incident, insurer: str) -> dict[str, Any] | None:
    """The counts of one insurer, and of which measure they are; none where the scope says nothing of it."""
    scoped, part = incident.scoped, part_of(incident, insurer)
    if scoped is None or part is None:
        return None
    measured = {
        "number": incident.scope_number,
        "exposure_id": scoped.exposure_id,
        "as_of": at(scoped.as_of_us),
        "outdated": scoped.question != question_of(incident),
    }
    return counts(part) | measured


def pack(made: Packed) -> dict[str, Any]:
    """A pack that was made: of which version, of how many people, the digest of its list of digests."""
    return {"insurer": made.insurer, "version": made.version, "people": made.people, "sha256": made.sha256}


def counts(part: Part) -> dict[str, Any]:
    """The three counts of one insurer, never one in the place of another."""
    return {
        "insurer": part.insurer,
        "referenced": part.referenced,
        "reachable": part.reachable,
        "displayed": {"at_least": part.at_least, "at_most": part.at_most},
        "times": part.times,
        "fields": field_names(part.fields),
        "categories": {"present": part.present, "billed": part.billed, "unexplained": part.unexplained},
    }


def decision(incident: Incident, insurer: str, is_stale: bool, today: date) -> dict[str, Any]:
    """What was answered and signed for a party; `now`: what would be answered today, where that is otherwise."""
    standing = incident.decisions[insurer]
    told: dict[str, Any] = {
        "party": _party(insurer),
        "number": standing.number,
        "at": at(standing.at_us),
        "by": standing.decided.by,
        "knew": standing.decided.knew,
        "signed": standing.decided.signed,
        "answer": standing.decided.answer,
        "dora": standing.decided.dora,
        "on_scope": standing.decided.on_scope or None,
    }
    if is_stale:
        now = follows(incident, insurer, today)
        told["now"] = {"answer": now.answer, "dora": now.dora}
    return told


def notified(sent: Notified) -> dict[str, Any]:
    """What was sent, and when."""
    told = {"deadline": sent.deadline, "party": _party(sent.insurer), "at": at(sent.at_us), "by": sent.by}
    return told | {"reference": sent.reference, "reasons": sent.reasons}


def _said(each: Happened, insurer: str | None) -> str:
    """One event, in a French sentence."""
    event, whose = each.event, getattr(each.event, "insurer", HUB) or "le gestionnaire"
    match event:
        case Opened():
            return f"Incident ouvert ; découvert le {_paris(event.found_us)} : {event.how_found}"
        case FactAdded():
            return f"Fait connu le {_paris(event.known_us)} : {event.name}"
        case Scoped():
            people = sum(part.at_least for part in event.parts if insurer in (None, part.insurer))
            return f"Exposition mesurée dans le journal ({event.exposure_id}) : {people} personnes affichées"
        case Decided(signed=signed):
            yes = {True: "oui", False: "non", None: "non décidé"}
            told = "assureurs oui, " if signed.controllers else ""
            words = (
                f"{told}registre {yes[signed.register]}, CNIL {yes[signed.authority]}, personnes {yes[signed.persons]}"
            )
            on = f" (sur la mesure de l'événement {event.on_scope}, que l'on savait dépassée)" if event.on_scope else ""
            return f"Décision signée pour {whose} : {words}{on}"
        case Notified():
            return f"Envoyé pour {whose} le {_paris(event.at_us)} : {event.deadline}"
        case Packed():
            return f"Dossier de {whose} préparé (version {event.version})"
        case EvidenceMade():
            return f"Preuves remises à {event.made_for} : {event.entries} entrées"
        case Closed():
            return f"Incident clos : {event.reason}"
        case Reopened():
            return f"Incident rouvert : {event.reason}"


def _paris(ts_us: int) -> str:
    return f"{instant(ts_us).astimezone(PARIS):%d/%m/%Y à %H:%M}"
