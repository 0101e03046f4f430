"""`/v1/claims`: send, list, show and cancel claims."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from ecluse.app.claims import (
    PAGE_MAX,
    Cancellation,
    ClaimAnswer,
    ClaimLife,
    ClaimPage,
    ClaimSent,
    cancel_claim,
    list_claims,
    send_claim,
    show_claim,
)
from ecluse.claims.claim import State
from ecluse.claims.filing import Search
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub

ClaimId = Annotated[str, PathParameter(max_length=32)]


@post("/v1/claims", status_code=201, summary="Bill a complementary insurer", tags=["Professionals"])
async def post_claim(data: JSONBody[ClaimSent], hub: TheHub, asked: Asked) -> Response[ClaimAnswer]:
    """Accepted, or refused with reasons that can be mended. The same body again gives the same claim."""
    return send(await send_claim(hub, asked, data), status=201)


@get("/v1/claims", summary="Own claims, newest first", tags=["Professionals"])
async def get_claims(
    hub: TheHub,
    asked: Asked,
    cursor: Annotated[str, QueryParameter(max_length=32, description="`next_cursor` of the page before")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 50,
    status: Annotated[State | None, QueryParameter(name="state")] = None,
    first: Annotated[date | None, QueryParameter(name="from", description="Received from that day on")] = None,
    last: Annotated[date | None, QueryParameter(name="to", description="Received until that day, inside")] = None,
) -> Response[ClaimPage]:
    """A page of the practice's own claims."""
    return send(await list_claims(hub, asked, Search(limit, cursor, status, first, last)))


@get("/v1/claims/{claim_id:str}", summary="An own claim and its whole life", tags=["Professionals"])
async def get_claim(claim_id: ClaimId, hub: TheHub, asked: Asked) -> Response[ClaimLife]:
    """Lines with their split and reasons, refusals, moves, remittance."""
    return send(await show_claim(hub, asked, claim_id))


@post("/v1/claims/{claim_id:str}/cancellation", status_code=200, summary="Cancel an own claim", tags=["Professionals"])
async def post_cancellation(
    claim_id: ClaimId, hub: TheHub, asked: Asked, data: JSONBody[Cancellation | None] = None
) -> Response[ClaimAnswer]:
    """Cancelled; what was paid is taken back by the next payment run. Again gives the same answer."""
    return send(await cancel_claim(hub, asked, claim_id, data or Cancellation()))


HANDLERS = [post_claim, get_claims, get_claim, post_cancellation]
