"""One connection, as uvicorn speaks HTTP/1.1 on it; beside that, a head has an end, and a body that came whole is told to have.

uvicorn counts no byte of a head: one header without end would fill the memory, and nobody has shown who they are by then.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# What may come without a request beginning or a byte of its body: its head, and what may stand between and after chunks of a
# body. A head is 2 KB, with a proof, a token and a client certificate 12 KB; a proxy passes on 32 KB at most.
HEAD_BYTES_MAX = 64 << 10
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

    def data_received(self, data: bytes) -> None:
        """Hand on what came, in pieces that can be counted."""
        if len(data) > HEAD_BYTES_MAX:
            for at in range(0, len(data), HEAD_BYTES_MAX):
                if not self.transport.is_closing():
                    self.data_received(data[at : at + HEAD_BYTES_MAX])
            return
        self._silent_bytes += len(data)
        super().data_received(data)
        if self._silent_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._silent_bytes = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A piece of its body came."""
        self._silent_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole; the application has not begun where all of it came at once."""
        seen: Any = self.scope
        seen[WHOLE] = True
        super().on_message_complete()

    def _refuse(self) -> None:
        """Say so, unless an answer to an earlier request is on its way, and close."""
        self.logger.warning("Request head too large.")
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSED)
        self.transport.close()
