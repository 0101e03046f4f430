"""`/v1/approvals`: ask for prior approval of a devis, list, show and cancel."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from ecluse.app.approvals import (
    ApprovalAnswer,
    ApprovalLife,
    ApprovalPage,
    ApprovalSent,
    ask_approval,
    cancel_approval,
    list_approvals,
    show_approval,
)
from ecluse.app.claims import PAGE_MAX
from ecluse.claims.approval import State
from ecluse.claims.filing import Search
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub

ApprovalId = Annotated[str, PathParameter(max_length=32)]


@post("/v1/approvals", status_code=201, summary="Ask for prior approval of a devis", tags=["Professionals"])
async def post_approval(data: JSONBody[ApprovalSent], hub: TheHub, asked: Asked) -> Response[ApprovalAnswer]:
    """Granted, with amounts guaranteed until `valid_until`; or refused with reasons that can be mended."""
    return send(await ask_approval(hub, asked, data), status=201)


@get("/v1/approvals", summary="Own approvals, newest first", tags=["Professionals"])
async def get_approvals(
    hub: TheHub,
    asked: Asked,
    cursor: Annotated[str, QueryParameter(max_length=32, description="`next_cursor` of the page before")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 50,
    status: Annotated[State | None, QueryParameter(name="state")] = None,
    first: Annotated[date | None, QueryParameter(name="from", description="Asked from that day on")] = None,
    last: Annotated[date | None, QueryParameter(name="to", description="Asked until that day, inside")] = None,
) -> Response[ApprovalPage]:
    """A page of the practice's own approvals, in the states they are in today."""
    return send(await list_approvals(hub, asked, Search(limit, cursor, status, first, last)))


@get("/v1/approvals/{approval_id:str}", summary="An own approval and its whole life", tags=["Professionals"])
async def get_approval(approval_id: ApprovalId, hub: TheHub, asked: Asked) -> Response[ApprovalLife]:
    """Lines with their split and reasons, refusals, moves, and the claims that used it."""
    return send(await show_approval(hub, asked, approval_id))


@post(
    "/v1/approvals/{approval_id:str}/cancellation",
    status_code=200,
    summary="Cancel an own approval",
    tags=["Professionals"],
)
async def post_approval_cancellation(approval_id: ApprovalId, hub: TheHub, asked: Asked) -> Response[ApprovalAnswer]:
    """Cancelled, and what it reserved is free; claims under it are cancelled first. Again gives the same answer."""
    return send(await cancel_approval(hub, asked, approval_id))


HANDLERS = [post_approval, get_approvals, get_approval, post_approval_cancellation]
