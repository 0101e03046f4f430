"""An incident as one insurer is told it: its own counts, decision, deadlines and forms, and nothing of another insurer. Pure.

An insurer knows of an incident from when the hub told it (GDPR 33(2)), which a person says and signs: before, there is none.
Events keep the numbers they have in the journal; what happened to others has no line, so numbers are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ecluse.breach.incident.cnil import Form, case_of, form
from ecluse.breach.incident.events import HUB, FactAdded, Happened
from ecluse.breach.incident.follows import Clock, clocks, is_outdated, parties, told_us
from ecluse.breach.incident.own import ASKED, CARDED
from ecluse.breach.incident.papers import dora_reports_of, register_of
from ecluse.breach.incident.state import Incident, fold
from ecluse.breach.incident.view import (
    at,
    clocks_told,
    decision,
    fact,
    notified,
    pack,
    scope_of_insurer,
    stands,
    summary,
    timeline,
)
from ecluse.kernel.days import paris_day

HUBS_OWN = ASKED | CARDED | {"professionals"}  # facts that are the hub's own affair, or its question about everybody


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """Which incident, where it stands, its window; `version`: its last event that changed something. `told_at`: when this insurer
    was told, null for the hub."""

    incident: str
    state: str
    version: int
    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")
    found_at: str
    told_at: str | None = None


class InsurerIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident for one insurer, as of `version`; `latest` is its newest. What each part holds is in docs/breach.md."""

    incident: str
    insurer: str
    state: str
    version: int
    latest: int
    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")
    found_at: str
    how_found: str
    told_at: str | None
    facts: list[dict[str, Any]]
    counts: dict[str, Any] | None
    decision: dict[str, Any] | None
    outdated: bool
    clocks: dict[str, Any]
    notified: list[dict[str, Any]]
    cnil_form: Form
    register_entry: dict[str, Any]
    dora: dict[str, Any]
    packs: list[dict[str, Any]]
    timeline: list[dict[str, Any]]


def line(name: str, incident: Incident, insurer: str) -> IncidentLine:
    """An incident in a list."""
    told = summary(name, incident)
    return IncidentLine(
        incident=name,
        state=incident.state,
        version=incident.version,
        since=told["from"],
        until=told["to"],
        found_at=at(incident.opened.found_us),
        told_at=_told_at(incident, insurer),
    )


def concerns(incident: Incident, insurer: str) -> bool:
    """Whether an insurer may know of the incident, because it was told of it; the hub knows of all."""
    return insurer == HUB or bool(told_us(incident, insurer))


def own_clocks(incident: Incident, insurer: str, now: datetime) -> list[Clock]:
    """The deadlines of one party, the most urgent first; of everybody for the hub."""
    return [each for each in clocks(incident, now) if insurer in (HUB, each.insurer)]


def told_to(name: str, happened: Sequence[Happened], insurer: str, until: int, now: datetime) -> InsurerIncident:
    """What an insurer is told of an incident as it was after event `until` (0: now)."""
    known = happened[: until or None]
    incident, today = fold(known), paris_day(now)
    case, standing = case_of(incident, insurer), incident.decisions.get(insurer)
    is_stale = insurer in parties(incident) and is_outdated(incident, insurer, today)
    is_shown = case.part is not None and case.part.at_most > 0
    brief = line(name, incident, insurer)
    return InsurerIncident(
        incident=name,
        insurer=insurer,
        state=brief.state,
        version=known[-1].number,
        latest=happened[-1].number,
        since=brief.since,
        until=brief.until,
        found_at=brief.found_at,
        how_found=incident.opened.how_found,
        told_at=brief.told_at,
        facts=[fact(each) for each in known if stands(incident, each) and _is_theirs(each, insurer)],
        counts=scope_of_insurer(incident, insurer),
        decision=decision(incident, insurer, is_stale, today) if standing else None,
        outdated=is_stale,
        clocks=clocks_told(own_clocks(incident, insurer, now), now),
        notified=[notified(each) for each in incident.notified if each.insurer == insurer],
        cnil_form=form(name, case),
        register_entry=register_of(name, case),
        dora=dora_reports_of(name, case, today) if is_shown else {"classification": None},
        packs=[pack(each) for each in incident.packed if each.insurer == insurer],
        timeline=timeline(known, insurer),
    )


def _told_at(incident: Incident, insurer: str) -> str | None:
    told = told_us(incident, insurer) if insurer else 0
    return at(told) if told else None


def _is_theirs(each: Happened, insurer: str) -> bool:
    event = each.event
    if not isinstance(event, FactAdded):
        return False
    return event.insurer == insurer or (event.insurer == HUB and event.name not in HUBS_OWN)
