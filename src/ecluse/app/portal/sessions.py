"""Sessions at work: a cookie is recognised, used, ended; an operator sees those of an account and ends them.

Ending is never refused and never waits: what an account loses with it is a login.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.ports.portal import Sessions
from ecluse.gate.containment import signed
from ecluse.gate.portal.login import SECRET_CHARS, fingerprint
from ecluse.gate.portal.session import Session, ends_ts, is_due, is_over
from ecluse.journal.entry import Operation, act


class Ended(msgspec.Struct, frozen=True):
    """What the journal's entry of an ending holds, sealed under the hub's key: whose sessions, by whom, why."""

    account: str
    operator: str
    reason: str


_encode = msgspec.msgpack.Encoder().encode


class OpenSessions:
    """The sessions of one hub's portal. `idle_s`: how long one holds unused, in seconds."""

    def __init__(self, sessions: Sessions, idle_s: int) -> None:
        self._sessions = sessions
        self._idle_s = idle_s

    def find(self, token: str, now_ts: int) -> Session | None:
        """The session of a cookie, if it holds; that it was used is for `touch`, once the proof was seen."""
        if len(token) != SECRET_CHARS:
            return None
        session = self._sessions.find(fingerprint(token))
        return None if session is None or is_over(session, self._idle_s, now_ts) else session

    def touch(self, token: str, session: Session, now_ts: int) -> None:
        """It was used, by the holder of its key."""
        if is_due(session, now_ts):
            self._sessions.touch(fingerprint(token), now_ts)

    def ends_ts(self, session: Session) -> int:
        """When it ends if nothing more is asked (Unix seconds)."""
        return ends_ts(session, self._idle_s)

    def end(self, token: str) -> None:
        """Log out."""
        self._sessions.end(fingerprint(token))

    def end_all(self, session: Session) -> int:
        """Log out everywhere; how many sessions there were."""
        return self._sessions.end_all(session.sub)


def sessions_of(hub: Hub, account: str, idle_s: int) -> Sequence[Session]:
    """The sessions of an account that hold now."""
    now_ts = hub.now_ts_us // 1_000_000
    return [each for each in hub.sessions.of(account) if not is_over(each, idle_s, now_ts)]


async def end_sessions(hub: Hub, account: str, operator: str, reason: str) -> int:
    """End every session of an account, as an operator; how many there were. The journal says so, also when none was.

    Raises `containment_refused` where operator or reason is missing.
    """
    kept = Ended(account, signed(operator, reason), reason)
    ended = hub.sessions.end_all(account)
    request = hub.ids.new("pse_")
    sealed = hub.keys.seal(HUB, _encode(kept), b"sessions_ended|1|" + request.encode())
    outcome = f"ended_{ended}"
    await hub.desk.record(act(Operation.SESSIONS_ENDED, hub.now_ts_us, request, outcome, about=account, sealed=sealed))
    return ended
