"""Sessions end because the provider ended its own (OpenID Connect Back-Channel Logout 1.0): those of the login it names (`sid`),
or all of the account, those that passkeys opened among them. Passkeys stay: they stand for a login that was made, not for one
that lasts.
"""

from __future__ import annotations

from ecluse.app.ports import Clock
from ecluse.app.ports.issuers import Issuers
from ecluse.app.ports.portal import PortalPorts
from ecluse.gate.identity import KeyUnknown
from ecluse.gate.portal.logout_token import LOGOUT_TOKEN_REFUSED, LoggedOut, verify_logout


class ProviderLogouts:
    """Logouts that the provider of one hub's portal tells of."""

    def __init__(self, ports: PortalPorts, issuers: Issuers, clock: Clock) -> None:
        self._ports = ports
        self._issuers = issuers
        self._clock = clock

    async def end(self, token: str) -> int:
        """End the sessions a logout token is about; how many there were. Raises `logout_token_refused`."""
        ended = self._ports.sessions.end_told(await self._verified(token), self._now_ts())
        if ended is None:
            raise LOGOUT_TOKEN_REFUSED()
        return ended

    async def _verified(self, token: str) -> LoggedOut:
        """What a token says; with a key nobody knows, its issuer is asked for its keys once."""
        try:
            return self._read(token)
        except KeyUnknown as unknown:
            await self._issuers.refresh(unknown.issuer)
        try:
            return self._read(token)
        except KeyUnknown:
            raise LOGOUT_TOKEN_REFUSED() from None

    def _read(self, token: str) -> LoggedOut:
        issuer = self._issuers.trusted.get(self._ports.client.issuer)
        if issuer is None:
            raise LOGOUT_TOKEN_REFUSED()
        return verify_logout(token, issuer, self._ports.client, self._now_ts())

    def _now_ts(self) -> int:
        return int(self._clock.now().timestamp())
