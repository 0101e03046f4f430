"""The door of a witness (C2SP tlog-witness): `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`. It needs no hub.

Nobody authenticates: a head is believed for its log's signature. Put a TLS terminator in front, as for a hub.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus

import msgspec
import uvicorn
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send

from ecluse.app.ports.witness import WitnessBook
from ecluse.app.witness import add_checkpoint
from ecluse.doors.http.connections import Connection
from ecluse.doors.http.slow_bodies import BODY_LATE, BODY_S, Bodies
from ecluse.doors.log import LOG
from ecluse.journal.witness import BODY_BYTES_MAX, SIZE_TYPE, Refusing
from ecluse.kernel.errors import Refused

TEXT = "text/plain; charset=utf-8"
WORKING_MAX = 64  # submissions are some milliseconds each: more at once are somebody's flood
KEEP_ALIVE_S = 120  # logs submit every few seconds and should find their connection again
CHECKPOINT_CACHE_S = 5


class Answer(msgspec.Struct, frozen=True):
    """Status, body, type, and for how long others may keep it."""

    status: int
    body: str
    type: str = TEXT
    cache_s: int = 0


class WitnessDoor:
    """The ASGI application."""

    def __init__(self, book: WitnessBook) -> None:
        self._book = book
        self._bodies = Bodies({}, BODY_BYTES_MAX)
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a bug is logged by its kind and told as 500."""
        if scope["type"] != ScopeType.HTTP:
            return
        try:
            answer = await self._answer(scope, receive)
        except Refused as refused:
            LOG.error("refused", code=refused.code)
            answer = Answer(refused.refusal.status, f"{refused.code}\n")
        except Exception as bug:  # noqa: BLE001 - the outermost layer: logged, and nothing is signed
            LOG.error("broken", exc_info=bug)
            answer = Answer(500, "something broke here; nothing was signed\n")
        body = answer.body.encode()
        headers = {"content-type": answer.type, "content-length": str(len(body))}
        if answer.status == BODY_LATE.status:
            headers["connection"] = "close"
        headers["cache-control"] = f"max-age={answer.cache_s}" if answer.cache_s else "no-store"
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: HTTPScope, receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"]
        if path == "/add-checkpoint":
            return await self._add(scope, receive) if method == "POST" else Answer(405, "POST\n")
        name, _, rest = path[1:].partition("/")
        kept = await asyncio.to_thread(self._book.last, name) if rest == "checkpoint" else None
        if kept is None:
            return Answer(404, "nothing here\n")
        return Answer(200, kept, cache_s=CHECKPOINT_CACHE_S) if method in ("GET", "HEAD") else Answer(405, "GET\n")

    async def _add(self, scope: HTTPScope, receive: Receive) -> Answer:
        try:
            body = await self._bodies.whole(scope, receive)
        except Refused as refused:  # too long, too slow, or gone: what anybody may send is no error of ours
            return Answer(
                refused.refusal.status, f"{refused.code}: at most {BODY_BYTES_MAX} bytes, within {BODY_S:.0f} s\n"
            )
        if self._working >= WORKING_MAX:
            return Answer(503, "busy; submit again in a second\n")
        self._working += 1
        try:
            return Answer(200, await asyncio.to_thread(add_checkpoint, self._book, body))
        except Refusing as refusing:
            LOG.log(30 if refusing.status == HTTPStatus.UNPROCESSABLE_ENTITY else 20, "refused", status=refusing.status)
            if refusing.seen is not None:
                return Answer(refusing.status, f"{refusing.seen}\n", SIZE_TYPE)
            return Answer(refusing.status, refusing.why + "\n")
        finally:
            self._working -= 1


def serve(book: WitnessBook, listening: socket.socket) -> None:
    """Answer until SIGTERM or Ctrl-C; what was begun is finished."""
    config = uvicorn.Config(
        WitnessDoor(book),
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[listening])
