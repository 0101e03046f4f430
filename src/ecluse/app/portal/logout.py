"""A browser whose session has ended here is sent to the provider, to end that one too, and comes back.

What waits in between is remembered like a login under way, for ten minutes and for one return, by the hashes of `state` and of a
cookie; of the person nothing is.
"""

from __future__ import annotations

from ecluse.app.portal.login import Sent
from ecluse.app.ports import Clock
from ecluse.app.ports.portal import PortalPorts
from ecluse.gate.portal.login import SECRET_CHARS, Begun, fingerprint
from ecluse.gate.portal.logout import LOGOUT_NOT_OFFERED, LOGOUT_REFUSED, check_return, logout_url

LEAVING = "leave:"  # before a state: it answers for no login, and no login's for it


class Logouts:
    """Logouts at the provider of one hub's portal."""

    def __init__(self, ports: PortalPorts, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock

    async def is_offered(self) -> bool:
        """Whether the provider ends sessions when asked; not, while it does not answer."""
        return bool(await self._endpoint())

    async def begin(self, redirect_uri: str) -> Sent:
        """Send a browser to the provider. Raises `logout_not_offered`."""
        endpoint = await self._endpoint()
        if not endpoint:
            raise LOGOUT_NOT_OFFERED()
        state, browser = self._ports.draw(), self._ports.draw()
        begun = Begun("", "", "", redirect_uri, self._now_ts())
        await self._ports.under_way.begin(fingerprint(LEAVING + state), fingerprint(browser), begun)
        return Sent(logout_url(endpoint, self._ports.client, redirect_uri, state), browser)

    async def finish(self, state: str, browser: str) -> None:
        """The browser is back. Raises `logout_refused`."""
        if len(state) != SECRET_CHARS or len(browser) != SECRET_CHARS:
            raise LOGOUT_REFUSED()
        begun = await self._ports.under_way.taken(fingerprint(LEAVING + state), fingerprint(browser))
        check_return(begun, self._now_ts())

    async def _endpoint(self) -> str:
        try:
            return (await self._ports.provider.endpoints()).end_session
        except (OSError, ValueError):
            return ""

    def _now_ts(self) -> int:
        return int(self._clock.now().timestamp())
