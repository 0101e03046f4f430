"""What the hub's investigators do to an incident over HTTP: the use cases of `ecluse incident`, signed by the account that asks.

Each body may say who acts, by name and function; the account of the token stands behind it in the event, whatever was said.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, field

from ecluse.app.exposure.naming import question_typed
from ecluse.app.incidents.acts import (
    BY_CHARS_MAX,
    WORDS_CHARS_MAX,
    add_fact,
    close,
    decide,
    notify,
    open_incident,
    reopen,
    scope,
)
from ecluse.app.incidents.asked import staff
from ecluse.breach.incident.events import HUB
from ecluse.breach.incident.told import IncidentLine, line
from ecluse.doors.http.exposures import Instant, Text
from ecluse.doors.http.given import Asked, TheHub
from ecluse.exposure.question import ACCOUNTS_MAX, INSURERS_MAX, NETWORKS_MAX, SESSIONS_MAX
from ecluse.kernel.days import ts_us

IncidentId = Annotated[str, PathParameter(max_length=32)]
By = Annotated[str, Meta(max_length=BY_CHARS_MAX, description="Who acts, by name and function")]
Words = Annotated[str, Meta(max_length=WORDS_CHARS_MAX)]
Number = Annotated[str, Meta(max_length=32, description="AMC number; empty for the hub, or for everybody")]
At = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its offset; now where left out")] | None
TAGS = ["Investigation of incidents"]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every act says."""

    by: By = ""


class IncidentOpened(Act, frozen=True):
    """Which accounts, in which window, how it was found, and when, which starts the clocks."""

    accounts: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=ACCOUNTS_MAX)]
    start: Instant = field(name="from")
    end: Instant = field(name="to")
    how_found: Words
    found_at: At = None
    insurers: Annotated[tuple[Text, ...], Meta(max_length=INSURERS_MAX)] = ()
    sessions: Annotated[tuple[Text, ...], Meta(max_length=SESSIONS_MAX)] = ()
    networks: Annotated[tuple[Text, ...], Meta(max_length=NETWORKS_MAX)] = ()


class FactSent(Act, frozen=True):
    """A fact, by a name of docs/breach.md; null takes one back. `insurer`: of that one alone."""

    name: Annotated[str, Meta(max_length=60)]
    value: Any
    insurer: Number = HUB
    known_at: At = None
    source: Words = ""


class ScopeAsked(Act, frozen=True):
    """`again`: the exposure is asked anew, though nothing came since."""

    again: bool = False


class DecisionSent(Act, frozen=True):
    """Whose decision (`hub`, or AMC numbers; all where left out), and where it is otherwise than the rules say, why.

    `on_scope`: in a hurry, on the scope of that event, though it is outdated.
    """

    insurers: Annotated[tuple[Text, ...], Meta(max_length=INSURERS_MAX)] | None = None
    authority: bool | None = None
    persons: bool | None = None
    motive: Words = ""
    on_scope: Annotated[int, Meta(ge=0)] = 0


class NotificationSent(Act, frozen=True):
    """What was sent outside the hub: which deadline it meets, when, whose it is, the receipt's number, why late."""

    deadline: Annotated[str, Meta(max_length=60)]
    insurer: Number = HUB
    at: At = None
    reference: Words = ""
    reasons: Words = ""


class ReasonSent(Act, frozen=True):
    """Why, in a sentence."""

    reason: Words


@post("/v1/incidents", status_code=201, summary="Open an incident", tags=TAGS)
async def post_incident(data: JSONBody[IncidentOpened], hub: TheHub, asked: Asked) -> IncidentLine:
    """One that is open and asks the same is that one."""
    by = staff(asked, data.by)
    named = {"insurers": data.insurers, "sessions": data.sessions, "networks": data.networks}
    question = question_typed(hub, data.accounts, data.start, data.end, **named)
    name, incident = await open_incident(hub, by, question, _us(data.found_at) or hub.now_ts_us, data.how_found)
    return line(name, incident, HUB)


@post("/v1/incidents/{incident_id:str}/facts", status_code=200, summary="Add a fact", tags=TAGS)
async def post_fact(incident_id: IncidentId, data: JSONBody[FactSent], hub: TheHub, asked: Asked) -> IncidentLine:
    """The last one said stands, earlier ones stay in the journal. The same again changes nothing."""
    by, at_us = staff(asked, data.by), _us(data.known_at)
    said = (incident_id, by, data.name, data.value)
    after = await add_fact(hub, *said, insurer=data.insurer, known_us=at_us, source=data.source)
    return line(incident_id, after, HUB)


@post("/v1/incidents/{incident_id:str}/scope", status_code=200, summary="Measure who was shown what", tags=TAGS)
async def post_scope(
    incident_id: IncidentId, hub: TheHub, asked: Asked, data: JSONBody[ScopeAsked | None] = None
) -> IncidentLine:
    """Asks the exposure, which takes seconds to minutes; where nothing came since, it is as it was."""
    told = data or ScopeAsked()
    by = staff(asked, told.by)
    return line(
        incident_id, await scope(hub, incident_id, by, lambda *_: None, again=told.again, asker=asked.account), HUB
    )


@post("/v1/incidents/{incident_id:str}/decisions", status_code=200, summary="Sign decisions", tags=TAGS)
async def post_decision(
    incident_id: IncidentId, hub: TheHub, asked: Asked, data: JSONBody[DecisionSent | None] = None
) -> IncidentLine:
    """For the hub and each insurer, a "no" too: as the rules answer, or otherwise with a motive."""
    told = data or DecisionSent()
    by = staff(asked, told.by)
    who = None if told.insurers is None else [HUB if each == "hub" else each for each in told.insurers]
    after, _ = await decide(
        hub,
        incident_id,
        by,
        insurers=who,
        authority=told.authority,
        persons=told.persons,
        motive=told.motive,
        on_scope=told.on_scope,
    )
    return line(incident_id, after, HUB)


@post("/v1/incidents/{incident_id:str}/notifications", status_code=200, summary="Say what was sent", tags=TAGS)
async def post_notification(
    incident_id: IncidentId, data: JSONBody[NotificationSent], hub: TheHub, asked: Asked
) -> IncidentLine:
    """The hub sends nothing itself. `gdpr_controllers` of an insurer: it was told, and reads the incident from then on."""
    by, at_us = staff(asked, data.by), _us(data.at) or hub.now_ts_us
    said = {"insurer": data.insurer, "reference": data.reference, "reasons": data.reasons}
    return line(incident_id, await notify(hub, incident_id, by, data.deadline, at_us, **said), HUB)


@post("/v1/incidents/{incident_id:str}/closure", status_code=200, summary="Close an incident", tags=TAGS)
async def post_closure(incident_id: IncidentId, data: JSONBody[ReasonSent], hub: TheHub, asked: Asked) -> IncidentLine:
    """One that is decided; it can be opened again."""
    return line(incident_id, await close(hub, incident_id, staff(asked, data.by), data.reason), HUB)


@post("/v1/incidents/{incident_id:str}/reopening", status_code=200, summary="Open it again", tags=TAGS)
async def post_reopening(
    incident_id: IncidentId, data: JSONBody[ReasonSent], hub: TheHub, asked: Asked
) -> IncidentLine:
    """It is scoped and decided anew."""
    return line(incident_id, await reopen(hub, incident_id, staff(asked, data.by), data.reason), HUB)


def _us(at: datetime | None) -> int:
    return ts_us(at) if at else 0


HANDLERS = [post_incident, post_fact, post_scope, post_decision, post_notification, post_closure, post_reopening]
