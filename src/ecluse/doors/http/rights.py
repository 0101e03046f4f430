"""`POST /v1/rights/checks`: the call made at every consultation, so a bare ASGI application answers it.

The framework's own path adds 85 µs to a request of 100 (docs/decisions/0001). Its handler stays: it describes the call in
/schema, and answers it where the bare one is not mounted.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar import Response, post
from litestar.params import JSONBody
from litestar.types import HTTPRequestEvent, Receive, Scope, Send

from ecluse.app.hub import Hub
from ecluse.app.rights import RightsAnswer, RightsQuestion, check_rights
from ecluse.doors.http.answers import encode, send
from ecluse.doors.http.given import Asked, TheHub
from ecluse.doors.http.problems import METHOD, TOO_LARGE, broken, malformed, send_problem
from ecluse.doors.http.who import Door
from ecluse.kernel.errors import Refused

PATH = "/v1/rights/checks"
QUESTION_BYTES_MAX = 16 << 10  # a question is 200 bytes, with a pass under 5 KB

_JSON = (b"content-type", b"application/json")
_question = msgspec.json.Decoder(RightsQuestion).decode


@post(PATH, status_code=200, summary="Will the patient's complementary insurer pay?", tags=["Professionals"])
async def post_check(data: JSONBody[RightsQuestion], hub: TheHub, asked: Asked) -> Response[RightsAnswer]:
    """Confirm, with an engagement; or not, without saying why."""
    return send(await check_rights(hub, asked, data))


HANDLERS = [post_check]


class Checks:
    """The bare ASGI application of one worker for this one path."""

    def __init__(self, hub: Hub, door: Door) -> None:
        self._hub = hub
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, answer, or refuse with a problem; a bug is logged and told as `broken`."""
        try:
            body = await self._answered(scope, receive)
        except Refused as refused:
            await send_problem(refused, scope, send)
        except Exception as bug:  # noqa: BLE001 - the outermost layer of this route: logged, told as a bug
            await send_problem(broken(bug, scope), scope, send)
        else:
            headers = [_JSON, (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answered(self, scope: Scope, receive: Receive) -> bytes:
        if scope.get("method") != "POST":
            raise METHOD()
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        asked = self._door.asked(authorization, cast("dict[str, Any]", scope)["request_id"])
        sent = await _read(receive)
        try:
            question = _question(sent)
        except msgspec.MsgspecError as wrong:
            raise malformed(str(wrong)) from None
        released = await check_rights(self._hub, asked, question)
        return encode(released.answer)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= QUESTION_BYTES_MAX:
        message = cast("HTTPRequestEvent", await receive())
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > QUESTION_BYTES_MAX:
        raise TOO_LARGE()
    return body
