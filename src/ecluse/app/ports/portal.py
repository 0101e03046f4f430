"""What the portal needs from the outside: an OpenID provider, and a memory shared by the processes of the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ecluse.gate.portal.id_token import Names
from ecluse.gate.portal.login import Begun, Client, Pushed
from ecluse.gate.portal.logout_token import LoggedOut
from ecluse.gate.portal.passkey import Answered, Passkey, Site
from ecluse.gate.portal.session import Session


class Endpoints(msgspec.Struct, frozen=True):
    """Where the provider listens, and whether it says who it is in what comes back (RFC 9207). `pushed`: where it takes requests
    beforehand (RFC 9126), `end_session`: where it ends its own session of a browser; empty: nowhere."""

    authorization: str
    token: str
    tells_iss: bool
    pushed: str = ""
    end_session: str = ""


class Provider(Protocol):
    """The OpenID provider of the settings; no other is ever asked."""

    async def endpoints(self) -> Endpoints:
        """Its metadata, remembered for a while. Raises `OSError`, `ValueError`."""
        ...

    async def push(self, endpoints: Endpoints, asked: Mapping[str, str]) -> Pushed:
        """Hand over a request before the browser comes. Raises `OSError` when the provider does not answer, `ValueError` when it
        refuses: with its reason, if that is one of `PUSH_ERRORS`."""
        ...

    def place(self) -> AbstractAsyncContextManager[None]:
        """One of a few places to exchange a code in, in the order in which people come back. Raises `OSError` on entering when
        none is free within two seconds."""
        ...

    async def id_token(self, endpoints: Endpoints, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code, as the hub and nobody else gets it; asked for in a place. Raises `OSError` when the provider
        does not answer, `ValueError` when it refuses."""
        ...


class UnderWay(Protocol):
    """Logins under way, challenges that wait for a passkey and logouts, by the hashes of the two secrets a browser has. Anybody
    may begin them; a crash of the machine may lose them."""

    async def begin(self, state: bytes, browser: bytes, begun: Begun) -> None:
        """Remember one."""
        ...

    async def find(self, state: bytes, browser: bytes) -> Begun | None:
        """The one of both hashes together, which stays."""
        ...

    async def taken(self, state: bytes, browser: bytes) -> Begun | None:
        """Take one out: there is one, once, for both hashes together."""
        ...


class Sessions(Protocol):
    """Sessions, by the hash of the secret a browser has; durable on return."""

    def put(self, token: bytes, session: Session) -> None:
        """Keep a new session; of more than a handful of one account the oldest ends."""
        ...

    def find(self, token: bytes) -> Session | None:
        """The session of a cookie; some µs."""
        ...

    def touch(self, token: bytes, seen_ts: int) -> None:
        """It was used."""
        ...

    def end(self, token: bytes) -> None:
        """End one session."""
        ...

    def end_all(self, sub: str) -> int:
        """End the sessions of an account; how many there were."""
        ...

    def end_told(self, told: LoggedOut, now_ts: int) -> int | None:
        """End the sessions that the provider says have ended there, and remember its token until that holds no more; how many
        there were, None if it was said before. All of it or nothing."""
        ...

    def of(self, sub: str) -> Sequence[Session]:
        """The sessions of an account that were not ended, the oldest first; some may be over."""
        ...


class Passkeys(Protocol):
    """Passkeys of accounts, by the id of their credential; durable on return."""

    def put(self, passkey: Passkey) -> bool:
        """Keep a new one; False if there is one of that credential, or the account has as many as it may."""
        ...

    def find(self, credential: bytes) -> Passkey | None:
        """The passkey of a credential."""
        ...

    def used(self, before: Passkey, count: int, used_ts: int) -> bool:
        """It was used, and counts `count` now; False if another use came in between."""
        ...

    def of(self, sub: str) -> Sequence[Passkey]:
        """The passkeys of an account, the oldest first."""
        ...

    def remove(self, sub: str, id_: str) -> bool:
        """Remove one of an account; whether there was one."""
        ...

    def remove_all(self, sub: str) -> int:
        """Remove those of an account; how many there were."""
        ...


class Authenticators(Protocol):
    """What checks what an authenticator signed (WebAuthn level 2, §7.1 and §7.2), user verification required."""

    def challenge_of(self, sent: Mapping[str, Any]) -> str:
        """The challenge an answer is to, read before anything is verified. Raises `ValueError`."""
        ...

    def created(self, sent: Mapping[str, Any], challenge: str, site: Site) -> Answered:
        """A new credential. Raises `ValueError`."""
        ...

    def signed(self, sent: Mapping[str, Any], challenge: str, site: Site, passkey: Passkey) -> Answered:
        """A use of a passkey; its count must have grown, if it counts. Raises `ValueError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPorts:
    """The portal of one hub, as the settings want it. `session_s`, `idle_s`: the most a session lasts, and unused;
    `draw`: a new secret of 256 bits as base64url."""

    provider: Provider
    sessions: Sessions
    under_way: UnderWay
    draw: Callable[[], str]
    client: Client
    names: Names
    session_s: int
    idle_s: int
    passkeys: Passkeys
    authenticators: Authenticators
    passkey_s: int = 0
