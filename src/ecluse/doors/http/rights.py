"""`POST /v1/rights/checks`: the call made at every consultation, so a bare application answers it (`bare.py`)."""

from __future__ import annotations

from litestar import Response, post
from litestar.params import JSONBody

from ecluse.app.rights import RightsAnswer, RightsQuestion, check_rights
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub

PATH = "/v1/rights/checks"
QUESTION_BYTES_MAX = 16 << 10  # a question is 200 bytes, with a pass under 5 KB


@post(PATH, status_code=200, summary="Will the patient's complementary insurer pay?", tags=["Professionals"])
async def post_check(data: JSONBody[RightsQuestion], hub: TheHub, asked: Asked) -> Response[RightsAnswer]:
    """Confirm, with an engagement; or not, without saying why."""
    return send(await check_rights(hub, asked, data))


HANDLERS = [post_check]
