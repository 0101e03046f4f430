"""One connection, as uvicorn speaks HTTP/1.1 on it; beside that, a head has an end and comes in time, what is answered is read,
and a body that came whole is told to have.

uvicorn counts no byte of a head: one header without end would fill the memory, and nobody has shown who they are by then. Nor has
it a time for anything: who says nothing, or reads nothing, would keep a socket for as long as they like.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# What may come without a request beginning or a byte of its body: its head, and what may stand between and after chunks of a
# body. A head is 2 KB, with a proof, a token and a client certificate 12 KB; a proxy passes on 32 KB at most.
HEAD_BYTES_MAX = 64 << 10
HEAD_S = 30.0  # from a connection, or the first byte of a later head, to its end: a browser connects before it knows what to ask
UNREAD_S = (
    30.0  # of an answer of which nobody reads the next 48 KB: the slowest line that one works by needs five seconds
)
WHOLE = "ecluse.whole"  # in the scope of a request whose body had come before anybody asked for it

_SAID = b"The head of the request is too large."
_REFUSED = b"".join(
    [
        STATUS_LINE[431],
        b"content-type: text/plain; charset=utf-8\r\n",
        b"content-length: %d\r\n" % len(_SAID),
        b"connection: close\r\n\r\n",
        _SAID,
    ]
)


class Connection(HttpToolsProtocol):
    """A head is refused past `HEAD_BYTES_MAX` after the piece it begins in, so before twice as many."""

    _silent_bytes = 0  # came since a request began or brought a byte of its body
    _in_head = True
    _head_due: TimerHandle | None = None
    _unread: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn says it
        """Somebody is there, and has some time to say what for."""
        super().connection_made(transport)
        self._head_due = self.loop.call_later(HEAD_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        for due in (self._head_due, self._unread):
            if due:
                due.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand on what came, in pieces that can be counted."""
        if len(data) > HEAD_BYTES_MAX:
            for at in range(0, len(data), HEAD_BYTES_MAX):
                if not self.transport.is_closing():
                    self.data_received(data[at : at + HEAD_BYTES_MAX])
            return
        self._silent_bytes += len(data)
        super().data_received(data)
        if self._head_due and not self._in_head:
            self._head_due.cancel()
            self._head_due = None
        elif self._in_head and not self._head_due and not self.transport.is_closing():
            self._head_due = self.loop.call_later(HEAD_S, self.transport.abort)
        if self._silent_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._silent_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body came."""
        self._silent_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole; the application has not begun where all of it came at once."""
        seen: Any = self.scope
        seen[WHOLE] = True
        super().on_message_complete()

    def pause_writing(self) -> None:
        """More of an answer waits to be read than is kept."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It was read."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def _refuse(self) -> None:
        """Say so, unless an answer to an earlier request is on its way, and close."""
        self.logger.warning("Request head too large.")
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSED)
        self.transport.close()
