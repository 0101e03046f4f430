"""`/v1/openings`: who looked at an insurer's members for the first time, for that insurer alone."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter

from ecluse.app.denials import DenialAnswer, deny
from ecluse.app.openings import LIMIT_MAX, OpeningPage, read_openings
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub
from ecluse.gate.openings import CURSOR_CHARS_MAX

Cursor = Annotated[str, QueryParameter(max_length=CURSOR_CHARS_MAX, description="`cursor` of the last page")]
OpeningId = Annotated[str, PathParameter(max_length=64)]
Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many openings at most")]
Insurer = Annotated[str, QueryParameter(max_length=32, description="AMC number; an insurer's account may leave it out")]


@get("/v1/openings", summary="First looks at own members", tags=["Insurers"])
async def get_openings(
    hub: TheHub, asked: Asked, after: Cursor = "", limit: Limit = 500, insurer: Insurer = ""
) -> Response[OpeningPage]:
    """A page, encrypted to the insurer's public key; `cursor` is where the next begins. Told twice, an opening has one id."""
    return send(await read_openings(hub, asked, insurer, after, limit))


@post("/v1/openings/{opening_id:str}/denials", status_code=200, summary="Not me", tags=["Insurers"])
async def post_denial(opening_id: OpeningId, hub: TheHub, asked: Asked, insurer: Insurer = "") -> DenialAnswer:
    """The person says that this look was not for them. Again is the same answer; of another insurer's member: `not_found`."""
    return await deny(hub, asked, insurer, opening_id)


HANDLERS = [get_openings, post_denial]
