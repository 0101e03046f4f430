"""The states of an incident as a table, and what it is after each event. Pure: events in order → an incident.

An incident at event n is the fold of its first n events: what was known when, and what was said then, are read by folding less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from ecluse.breach.incident.events import (
    CUSTODY,
    HUB,
    Closed,
    Decided,
    Event,
    EvidenceMade,
    FactAdded,
    Happened,
    Notified,
    Opened,
    Packed,
    Reopened,
    Scoped,
)
from ecluse.kernel.errors import refusal

INCIDENT_STATE = refusal(
    "incident_state",
    409,
    "The incident is not where this can be done",
    fix="`ecluse incident show` says where it is; docs/breach.md has the table of what leads where.",
)


class State(StrEnum):
    """Where an incident is."""

    OPENED = "opened"
    SCOPED = "scoped"
    CLASSIFIED = "classified"
    NOTIFIED = "notified"
    CLOSED = "closed"
    REOPENED = "reopened"


_OPEN = frozenset(State) - {State.CLOSED}
_DECIDED = frozenset({State.CLASSIFIED, State.NOTIFIED})
_KNOWN = frozenset({State.SCOPED, *_DECIDED, State.CLOSED})
# Event → where it may happen (None: nowhere yet), and where it leads (None: it stays).
MOVES: dict[type, tuple[frozenset[State | None], State | None]] = {
    Opened: (frozenset({None}), State.OPENED),
    FactAdded: (frozenset(_OPEN), None),
    Scoped: (frozenset(_OPEN), State.SCOPED),
    Decided: (frozenset({State.SCOPED, *_DECIDED}), State.CLASSIFIED),
    Notified: (frozenset(_DECIDED), State.NOTIFIED),
    Packed: (frozenset(_KNOWN), None),
    EvidenceMade: (frozenset(_KNOWN), None),
    Closed: (frozenset(_DECIDED), State.CLOSED),
    Reopened: (frozenset({State.CLOSED}), State.REOPENED),
}


class Numbered(msgspec.Struct, frozen=True):
    """A decision as it stands: the number and the instant of its event.

    `major_us`, `persons_us`: since when, decided again or not, the incident has been major, and persons are to be told; 0: not.
    """

    number: int
    at_us: int
    decided: Decided
    major_us: int = 0
    persons_us: int = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What the events so far say. `version`: the last one that changed something; `knew`: the last one that brought knowledge.

    `facts`: the standing ones, by name and insurer; `scoped`: the last scope, of event `scope_number`; `decisions`: each party's
    last.
    """

    state: State
    version: int
    knew: int
    number: int
    opened: Opened
    facts: Mapping[tuple[str, str], FactAdded] = {}
    scoped: Scoped | None = None
    scope_number: int = 0
    decisions: Mapping[str, Numbered] = {}
    notified: tuple[Notified, ...] = ()
    packed: tuple[Packed, ...] = ()

    def fact(self, name: str, insurer: str = HUB) -> FactAdded | None:
        """A standing fact: the insurer's own, else everybody's."""
        return self.facts.get((name, insurer)) or self.facts.get((name, HUB))


def fold(happened: Iterable[Happened]) -> Incident:
    """The incident these events make. Raises `incident_state` for one that may not happen there; none at all is a bug."""
    incident: Incident | None = None
    for each in happened:
        incident = after(incident, each)
    assert incident is not None
    return incident


def after(before: Incident | None, each: Happened) -> Incident:
    """The incident after one more event. Raises `incident_state`."""
    event = each.event
    where, leads = MOVES[type(event)]
    state = before.state if before else None
    if state not in where:
        raise INCIDENT_STATE(f"{event.__struct_config__.tag} does not follow {state or 'nothing'}")
    assert each.number == (before.number if before else 0) + 1
    if before is None:
        assert isinstance(event, Opened)
        return Incident(state=State.OPENED, version=1, knew=1, number=1, opened=event)
    told = msgspec.structs.replace(before, state=leads or before.state, number=each.number, **_changes(before, each))
    if not isinstance(event, CUSTODY):
        told = msgspec.structs.replace(told, version=each.number)
    return told


def _changes(before: Incident, each: Happened) -> dict[str, object]:
    event: Event = each.event
    match event:
        case FactAdded(name=name, insurer=insurer):
            return {"facts": {**before.facts, (name, insurer): event}, "knew": each.number}
        case Scoped():
            return {"scoped": event, "scope_number": each.number, "knew": each.number}
        case Decided(insurer=insurer):
            return {"decisions": {**before.decisions, insurer: _standing(before.decisions.get(insurer), each, event)}}
        case Notified():
            return {"notified": (*before.notified, event)}
        case Packed():
            return {"packed": (*before.packed, event)}
        case _:
            return {}


def _standing(before: Numbered | None, each: Happened, event: Decided) -> Numbered:
    """A decision, and since when it says what starts a deadline: saying it again begins no deadline anew."""
    is_major = bool((event.dora or {}).get("major"))
    return Numbered(
        each.number,
        each.at_us,
        event,
        ((before and before.major_us) or each.at_us) if is_major else 0,
        ((before and before.persons_us) or each.at_us) if event.signed.persons else 0,
    )
