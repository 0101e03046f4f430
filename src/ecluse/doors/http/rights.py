"""`POST /v1/rights/checks`."""

from __future__ import annotations

from litestar import Response, post

from ecluse.app.access import Request
from ecluse.app.hub import Hub
from ecluse.app.rights import RightsAnswer, RightsQuestion, check_rights
from ecluse.doors.http.answers import send


@post("/v1/rights/checks", status_code=200, summary="Will the patient's complementary insurer pay?")
async def post_check(data: RightsQuestion, hub: Hub, asked: Request) -> Response[RightsAnswer]:
    """Confirm, with an engagement; or not, without saying why."""
    return send(await check_rights(hub, asked, data))


HANDLERS = [post_check]
