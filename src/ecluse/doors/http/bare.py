"""`POST` of one path answered without the framework, for the calls made at every consultation: a JSON body in, an answer out.

The framework's own path adds 85 µs to a request (docs/decisions/0001). Its handlers stay: they describe the calls in
/schema, and answer them where the bare ones are not mounted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

from litestar.types import HTTPRequestEvent, Receive, Scope, Send

from ecluse.app.access import Released
from ecluse.app.containment import let_in
from ecluse.app.hub import Hub
from ecluse.doors.http.answers import encode
from ecluse.doors.http.json_bodies import check_media, reader
from ecluse.doors.http.problems import TOO_LARGE, broken, send_problem
from ecluse.doors.http.who import Door
from ecluse.gate.admission import Request
from ecluse.kernel.errors import Refused

Question = TypeVar("Question")
Answered = Callable[[Hub, Request, Question], Awaitable[Released[Any]]]

_JSON = (b"content-type", b"application/json")


class Bare(Generic[Question]):
    """The bare ASGI application of one worker for one path: what it reads, how long that may be, and who answers it."""

    def __init__(
        self, hub: Hub, door: Door, asked: type[Question], body_bytes_max: int, answered: Answered[Question]
    ) -> None:
        self._hub = hub
        self._door = door
        self._question = reader(asked)
        self._body_bytes_max = body_bytes_max
        self._answer = answered

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
        asked = await self._door.asked(scope)
        await let_in(self._hub, asked.account)
        check_media(scope)
        question = self._question(await self._read(receive))
        released = await self._answer(self._hub, asked, question)
        return encode(released.answer)

    async def _read(self, receive: Receive) -> bytes:
        body, more = b"", True
        while more and len(body) <= self._body_bytes_max:
            message = cast("HTTPRequestEvent", await receive())
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if len(body) > self._body_bytes_max:
            raise TOO_LARGE()
        return body
