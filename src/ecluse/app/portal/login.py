"""A browser logs in: it is sent to the provider, comes back with a code, and has a session from then on.

What has to be remembered in between stays here, for ten minutes and for one use; the browser has two secrets, `state` in the
address and a cookie, of which hashes are kept. Nothing of a login is logged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from ecluse.app.ports import Clock, Ids
from ecluse.app.ports.issuers import Issuers
from ecluse.app.ports.portal import Endpoints, PortalPorts
from ecluse.gate.identity import Issuer, KeyUnknown
from ecluse.gate.portal.id_token import LoggedIn, verify_login
from ecluse.gate.portal.login import (
    PUSH_ERRORS,
    SECRET_CHARS,
    Back,
    Begun,
    carried,
    check_back,
    fingerprint,
    is_thumbprint,
    led_to,
    request_of,
)
from ecluse.gate.portal.refusals import LOGIN_REFUSED, PROVIDER_BUSY, PROVIDER_SILENT, PROVIDER_UNFIT, REQUEST_REFUSED
from ecluse.gate.portal.session import Session, begin


class Sent(NamedTuple):
    """Where a browser goes to log in, and the cookie that it comes back with."""

    url: str
    browser: str


class Opened(NamedTuple):
    """A new session, and the secret that only the browser's cookie has."""

    token: str
    session: Session


class Logins:
    """Logins of one hub's portal."""

    def __init__(self, ports: PortalPorts, issuers: Issuers, clock: Clock, ids: Ids) -> None:
        self._ports = ports
        self._issuers = issuers
        self._clock = clock
        self._ids = ids

    async def begin(self, jkt: str, redirect_uri: str, *, is_step_up: bool, replaced: str = "") -> Sent:
        """Send a browser to the provider. `jkt`: thumbprint of the key it made; `replaced`: the session it has, if any.

        Raises `login_refused`, `login_provider_silent`, `login_provider_unfit`, `login_request_refused`.
        """
        if not is_thumbprint(jkt):
            raise LOGIN_REFUSED()
        endpoints = await self._endpoints()
        state, browser, nonce, verifier = (self._ports.draw() for _ in range(4))
        before = fingerprint(replaced) if replaced else b""
        begun = Begun(nonce, verifier, jkt, redirect_uri, self._now_ts(), is_step_up=is_step_up, replaced=before)
        asked = await self._carried(endpoints, request_of(self._ports.client, begun, state))
        await self._ports.under_way.begin(fingerprint(state), fingerprint(browser), begun)
        return Sent(led_to(endpoints.authorization, asked), browser)

    async def finish(self, back: Back, browser: str) -> Opened:
        """The session of the browser that came back. Raises `login_refused`, `login_declined`, `login_provider_silent`,
        `insufficient_user_authentication`; `login_provider_busy` when the login waits on and the same answer may come again."""
        if len(back.state) != SECRET_CHARS or len(browser) != SECRET_CHARS:
            raise LOGIN_REFUSED()
        login = fingerprint(back.state), fingerprint(browser)
        if await self._ports.under_way.find(*login) is None:  # it needs no place to be told so
            raise LOGIN_REFUSED()
        async with self._asking() as endpoints:
            begun = await self._ports.under_way.taken(*login)  # not before: who finds no place may come again
            if begun is None:
                raise LOGIN_REFUSED()
            issuer = self._ports.client.issuer
            code = check_back(back, begun, issuer, tells_iss=endpoints.tells_iss, now_ts=self._now_ts())
            token = await self._id_token(endpoints, code, begun)
        person = await self._person(token, begun)
        opened = self.session_of(person, jkt=begun.jkt, way="login")
        self.keep(opened)
        if begun.replaced:
            self._ports.sessions.end(begun.replaced)
        return opened

    def session_of(self, person: LoggedIn, *, jkt: str, way: str) -> Opened:
        """A session of somebody who has just come in, which holds once it is kept."""
        session = begin(
            person,
            id_=self._ids.new("ses_"),
            issuer=self._ports.client.issuer,
            jkt=jkt,
            way=way,
            now_ts=self._now_ts(),
            session_s=self._ports.session_s,
        )
        return Opened(self._ports.draw(), session)

    def keep(self, opened: Opened) -> None:
        """From now on the session holds."""
        self._ports.sessions.put(fingerprint(opened.token), opened.session)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Endpoints]:
        """A place to exchange a code in. Raises `login_provider_busy`."""
        async with AsyncExitStack() as place:
            try:
                endpoints = await self._ports.provider.endpoints()
                await place.enter_async_context(self._ports.provider.place())
            except (OSError, ValueError):
                raise PROVIDER_BUSY() from None
            yield endpoints

    async def _endpoints(self) -> Endpoints:
        try:
            return await self._ports.provider.endpoints()
        except (OSError, ValueError):
            raise PROVIDER_SILENT() from None

    async def _carried(self, endpoints: Endpoints, asked: Mapping[str, str]) -> Mapping[str, str]:
        """What the browser carries of a request: its name alone where the provider takes the rest beforehand."""
        client = self._ports.client
        if not endpoints.pushed:
            if client.pushed_required:
                raise PROVIDER_UNFIT()
            return asked
        try:
            return carried(client, await self._ports.provider.push(endpoints, asked))
        except OSError:
            raise PROVIDER_SILENT() from None
        except ValueError as wrong:
            said = str(wrong)
            raise REQUEST_REFUSED(f"it said {said}" if said in PUSH_ERRORS else "") from None

    async def _id_token(self, endpoints: Endpoints, code: str, begun: Begun) -> str:
        try:
            return await self._ports.provider.id_token(endpoints, code, begun.verifier, begun.redirect_uri)
        except OSError:
            raise PROVIDER_SILENT() from None
        except ValueError:  # a code that was used, or another client's
            raise LOGIN_REFUSED() from None

    async def _person(self, token: str, begun: Begun) -> LoggedIn:
        """Who the token tells of; with a key nobody knows, its issuer is asked for its keys once."""
        try:
            return self._verified(token, begun)
        except KeyUnknown as unknown:
            if not await self._issuers.refresh(unknown.issuer):
                raise PROVIDER_SILENT() from None
        try:
            return self._verified(token, begun)
        except KeyUnknown:
            raise LOGIN_REFUSED() from None

    def _verified(self, token: str, begun: Begun) -> LoggedIn:
        issuer: Issuer | None = self._issuers.trusted.get(self._ports.client.issuer)
        if issuer is None:
            raise LOGIN_REFUSED()
        return verify_login(token, issuer, self._ports.client, begun, self._ports.names, self._now_ts())

    def _now_ts(self) -> int:
        return int(self._clock.now().timestamp())
