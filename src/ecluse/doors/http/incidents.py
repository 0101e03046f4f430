"""`/v1/incidents`: an insurer reads its own view of those it was told of, and fetches its pack; investigators read all."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.response import Stream

from ecluse.app.incidents.asked import (
    PAGE_MAX,
    Deadlines,
    HubIncident,
    IncidentPage,
    list_incidents,
    show_agenda,
    show_clocks,
    show_incident,
)
from ecluse.app.incidents.handed import PackShown, read_pack_file, show_pack
from ecluse.breach.incident.told import InsurerIncident
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub

CALENDAR, BYTES = "text/calendar", "application/octet-stream"

IncidentId = Annotated[str, PathParameter(max_length=32)]
FileName = Annotated[str, PathParameter(max_length=64)]
Insurer = Annotated[str, QueryParameter(max_length=32, description="AMC number; an insurer's account leaves it out")]
Accept = Annotated[str, HeaderParameter(name="accept", description="`text/calendar` for an iCalendar file")]


@get("/v1/incidents", summary="Incidents, newest first", tags=["Incidents"])
async def get_incidents(
    hub: TheHub,
    asked: Asked,
    cursor: Annotated[str, QueryParameter(max_length=32, description="`next_cursor` of the page before")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 50,
) -> Response[IncidentPage]:
    """With the scope `exposure:own` those an insurer was told of; with `investigate` all of them."""
    return send(await list_incidents(hub, asked, cursor, limit))


@get("/v1/incidents/{incident_id:str}", summary="One incident", tags=["Incidents"])
async def get_incident(
    incident_id: IncidentId,
    hub: TheHub,
    asked: Asked,
    version: Annotated[int, QueryParameter(ge=0, description="As it was after this event; 0: as it is")] = 0,
) -> Response[InsurerIncident | HubIncident]:
    """An insurer's own counts, decision, deadlines, CNIL form, register entry and DORA reports; all parties for the hub."""
    return send(await show_incident(hub, asked, incident_id, version))


@get("/v1/incidents/{incident_id:str}/clocks", summary="Deadlines, the most urgent first", tags=["Incidents"])
async def get_clocks(
    incident_id: IncidentId, hub: TheHub, asked: Asked, accept: Accept = "application/json"
) -> Response[Deadlines]:
    """Of the insurer that asks, or of everybody for the hub. `Accept: text/calendar` gives those still to be met as iCalendar."""
    if CALENDAR in accept.lower():
        return await _agenda(hub, asked, incident_id)
    return send(await show_clocks(hub, asked, incident_id))


@get(
    "/v1/incidents/{incident_id:str}/clocks.ics",
    summary="Deadlines as iCalendar",
    tags=["Incidents"],
    media_type=CALENDAR,
)
async def get_agenda(incident_id: IncidentId, hub: TheHub, asked: Asked) -> Response[bytes]:
    """Those still to be met, each with an alarm; loaded again, they are brought up to date."""
    return await _agenda(hub, asked, incident_id)


@get("/v1/incidents/{incident_id:str}/pack", summary="The insurer's newest pack", tags=["Incidents"])
async def get_pack(incident_id: IncidentId, hub: TheHub, asked: Asked, insurer: Insurer = "") -> Response[PackShown]:
    """Its files by name, with their digests, where it was made in the hub's own folder."""
    return send(await show_pack(hub, asked, incident_id, insurer))


@get(
    "/v1/incidents/{incident_id:str}/pack/{name:str}",
    summary="A file of the insurer's pack",
    tags=["Incidents"],
    media_type=BYTES,
)
async def get_pack_file(
    incident_id: IncidentId, name: FileName, hub: TheHub, asked: Asked, insurer: Insurer = ""
) -> Stream:
    """As it was made: `.age` is encrypted to the insurer's public key, for the holder of its secret key alone."""
    released = await read_pack_file(hub, asked, incident_id, name, insurer)
    return Stream(released.answer.blocks, media_type=BYTES)


async def _agenda(hub: TheHub, asked: Asked, name: str) -> Response[Any]:
    told = (await show_agenda(hub, asked, name)).answer
    shown = {"content-disposition": f'attachment; filename="{name}.ics"'}
    return Response(told.ics, media_type=CALENDAR, headers=shown)


HANDLERS = [get_incidents, get_incident, get_clocks, get_agenda, get_pack, get_pack_file]
