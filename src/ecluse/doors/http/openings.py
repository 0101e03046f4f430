"""`/v1/openings`: who looked at an insurer's members for the first time, for that insurer alone."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from ecluse.app.openings import LIMIT_MAX, OpeningPage, read_openings
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub
from ecluse.gate.openings import CURSOR_CHARS_MAX

Cursor = Annotated[str, QueryParameter(max_length=CURSOR_CHARS_MAX, description="`cursor` of the last page")]
Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="How many openings at most")]
Insurer = Annotated[str, QueryParameter(max_length=32, description="AMC number; an insurer's account may leave it out")]


@get("/v1/openings", summary="First looks at own members", tags=["Insurers"])
async def get_openings(
    hub: TheHub, asked: Asked, after: Cursor = "", limit: Limit = 500, insurer: Insurer = ""
) -> Response[OpeningPage]:
    """A page, encrypted to the insurer's public key; `cursor` is where the next begins. Told twice, an opening has one id."""
    return send(await read_openings(hub, asked, insurer, after, limit))


HANDLERS = [get_openings]
