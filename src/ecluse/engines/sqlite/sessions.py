"""The `Sessions` port in portal.db: one file of all processes of a hub, read at every request of a browser, so that what one
process ends is ended in all. It is made when the first browser comes, and in no backup: after a restore people log in again.

No secret is in it: cookies are kept as hashes. Logins not finished yet are kept elsewhere (`under_way.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ecluse.engines.sqlite.portal import PortalFile
from ecluse.gate.portal.logout_token import LoggedOut
from ecluse.gate.portal.session import Session

PER_ACCOUNT_MAX = 8  # a professional's browsers; more is somebody who logs in and never out

_PUT = "INSERT INTO session VALUES (?, ?, ?, ?, ?)"
_OVER = "DELETE FROM session WHERE until_ts <= ?"
_OLDEST = """
    DELETE FROM session WHERE token IN
    (SELECT token FROM session WHERE sub = ? ORDER BY until_ts DESC, rowid DESC LIMIT -1 OFFSET ?)"""
_FIND = "SELECT session, seen_ts FROM session WHERE token = ?"
_TOUCH = "UPDATE session SET seen_ts = max(seen_ts, ?) WHERE token = ?"
_END = "DELETE FROM session WHERE token = ?"
_END_ALL = "DELETE FROM session WHERE sub = ?"
_AT_PROVIDER = "INSERT INTO session_at_provider VALUES (?, ?, ?)"
_OVER_THERE = "DELETE FROM session_at_provider WHERE until_ts <= ?"
_END_LOGIN = """
    DELETE FROM session WHERE token IN (SELECT token FROM session_at_provider WHERE sid = ?) AND (? = '' OR sub = ?)"""
_FORGET = "DELETE FROM logout_token WHERE until_ts <= ?"
_FIRST = "INSERT INTO logout_token VALUES (?, ?) ON CONFLICT DO NOTHING"
_OF = "SELECT session, seen_ts FROM session WHERE sub = ? ORDER BY rowid"

_encode = msgspec.msgpack.Encoder().encode
_session = msgspec.msgpack.Decoder(Session).decode


class LocalSessions:
    """One instance a process, used by one thread."""

    def __init__(self, path: Path) -> None:
        self._file = PortalFile(path, "sessions.sql")

    def put(self, token: bytes, session: Session) -> None:
        """Keep a session; those that are over go, and of its account the oldest of too many."""
        self._file.connection.execute("BEGIN IMMEDIATE")
        with self._file.connection:
            self._file.connection.execute(_OVER, (session.begun_ts,))
            self._file.connection.execute(
                _PUT, (token, session.sub, session.until_ts, session.seen_ts, _encode(session))
            )
            self._file.connection.execute(_OLDEST, (session.sub, PER_ACCOUNT_MAX))
            self._file.connection.execute(_OVER_THERE, (session.begun_ts,))
            if session.sid:
                self._file.connection.execute(_AT_PROVIDER, (session.sid, token, session.until_ts))

    def find(self, token: bytes) -> Session | None:
        """The session of a cookie."""
        row = self._file.connection.execute(_FIND, (token,)).fetchone()
        return _of(row) if row else None

    def touch(self, token: bytes, seen_ts: int) -> None:
        """It was used."""
        self._file.connection.execute(_TOUCH, (seen_ts, token))

    def end(self, token: bytes) -> None:
        """End one; anybody may ask, with a cookie that is none."""
        if self._file.connection.execute(_FIND, (token,)).fetchone():
            self._file.connection.execute(_END, (token,))

    def end_all(self, sub: str) -> int:
        """End those of an account."""
        return self._file.connection.execute(_END_ALL, (sub,)).rowcount if self._file.is_there else 0

    def end_told(self, told: LoggedOut, now_ts: int) -> int | None:
        """End those of a login at the provider, or of an account; logout tokens that hold no more are forgotten."""
        self._file.connection.execute("BEGIN IMMEDIATE")
        with self._file.connection:
            self._file.connection.execute(_FORGET, (now_ts,))
            if self._file.connection.execute(_FIRST, (told.mark, told.until_ts)).rowcount != 1:
                return None
            if told.login:
                return self._file.connection.execute(_END_LOGIN, (told.login, told.sub, told.sub)).rowcount
            return self._file.connection.execute(_END_ALL, (told.sub,)).rowcount

    def of(self, sub: str) -> Sequence[Session]:
        """Those of an account."""
        return [_of(row) for row in self._file.connection.execute(_OF, (sub,))] if self._file.is_there else []

    def close(self) -> None:
        """Close the file, if it was opened."""
        self._file.close()


def _of(row: tuple[bytes, int]) -> Session:
    return msgspec.structs.replace(_session(row[0]), seen_ts=row[1])
