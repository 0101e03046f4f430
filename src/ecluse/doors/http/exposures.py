"""`/v1/exposures`: who was really shown what. For the hub's investigators, and for an insurer about its own members."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ecluse.app.exposure.ask import expose, read_list, show_exposure
from ecluse.app.exposure.naming import question_typed
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub
from ecluse.exposure.answer import Exposure
from ecluse.exposure.question import ACCOUNTS_MAX, INSURERS_MAX, NETWORKS_MAX, SESSIONS_MAX

TEXT_MAX = 128  # the longest account; sessions and networks are shorter

ExposureId = Annotated[str, PathParameter(max_length=32)]
FileName = Annotated[str, PathParameter(max_length=64)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Instant = Annotated[str, Meta(max_length=40, description="RFC 3339; UTC without an offset")]


class ExposureAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which accounts, in which window; what it is narrowed to; whether encrypted lists are to be made."""

    accounts: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=ACCOUNTS_MAX)]
    start: Instant = msgspec.field(name="from")
    end: Instant = msgspec.field(name="to")
    insurers: Annotated[tuple[Text, ...], Meta(max_length=INSURERS_MAX)] = ()
    sessions: Annotated[tuple[Text, ...], Meta(max_length=SESSIONS_MAX)] = ()
    networks: Annotated[tuple[Text, ...], Meta(max_length=NETWORKS_MAX)] = ()
    lists: bool = False


@post("/v1/exposures", status_code=201, summary="Who was really shown what by these accounts", tags=["Investigation"])
async def post_exposure(data: JSONBody[ExposureAsked], hub: TheHub, asked: Asked) -> Response[Exposure]:
    """Referenced, reachable, displayed. With the scope `exposure:own` an insurer asks about its own members."""
    question = partial(
        question_typed,
        hub,
        data.accounts,
        data.start,
        data.end,
        insurers=data.insurers,
        sessions=data.sessions,
        networks=data.networks,
    )
    return send(await expose(hub, asked, question, lambda *_: None, lists=data.lists), status=201)


@get("/v1/exposures/{exposure_id:str}", summary="An exposure asked before", tags=["Investigation"])
async def get_exposure(exposure_id: ExposureId, hub: TheHub, asked: Asked) -> Response[Exposure]:
    """As it was answered then; an insurer sees its own part of one that the hub asked."""
    return send(await show_exposure(hub, asked, exposure_id))


@get(
    "/v1/exposures/{exposure_id:str}/lists/{name:str}",
    summary="An encrypted list of an exposure",
    tags=["Investigation"],
    media_type="application/octet-stream",
)
async def get_list(exposure_id: ExposureId, name: FileName, hub: TheHub, asked: Asked) -> Response[bytes]:
    """In the age format, for the holder of the insurer's secret key alone. `files` of the exposure has the names."""
    content = (await read_list(hub, asked, exposure_id, name)).answer.content
    return Response(content, media_type="application/octet-stream")


HANDLERS = [post_exposure, get_exposure, get_list]
