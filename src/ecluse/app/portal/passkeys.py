"""Passkeys at work: bound in a session whose login has just been made, used to log in, listed and removed by their owner. Of a
quarantined account none is bound, used or removed: it may be a thief who sits there.

A challenge is remembered like a login under way, for five minutes and for one answer, and for one browser: by the session's
cookie when a passkey is bound, by a cookie of its own when one is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ecluse.app.containment import check_open
from ecluse.app.hub import Hub
from ecluse.app.portal.login import Logins, Opened
from ecluse.app.portal.removal import BOUND, NOT_KEPT, REMOVED, record_passkey
from ecluse.app.ports.issuers import Issuers
from ecluse.app.ports.portal import PortalPorts
from ecluse.gate.holder import check_level, require_fresh
from ecluse.gate.portal.login import SECRET_CHARS, Begun, fingerprint, is_thumbprint
from ecluse.gate.portal.passkey import (
    BIND_S_MAX,
    CREDENTIAL_BYTES_MAX,
    PASSKEY_REFUSED,
    PASSKEYS_MANY,
    PER_ACCOUNT_MAX,
    Passkey,
    Site,
    creation_options,
    is_lapsed,
    is_late,
    named,
    person_of,
    request_options,
)
from ecluse.gate.portal.session import Session, account_of
from ecluse.gate.signature import base64url, unbase64
from ecluse.kernel.errors import NOT_FOUND, Refused

BINDING, USING = "bind:", "use:"  # before a challenge: neither answers for the other, nor for a login at the provider

Sent = Mapping[str, Any]


class BoundPasskeys:
    """Passkeys of one hub's portal. A passkey holds for as long after its login as the settings say."""

    def __init__(self, hub: Hub, ports: PortalPorts, issuers: Issuers, logins: Logins) -> None:
        self._hub = hub
        self._ports = ports
        self._issuers = issuers
        self._logins = logins

    async def offer(self, session: Session, token: str, site: Site) -> dict[str, Any]:
        """What a new passkey must be like. Raises `insufficient_user_authentication` when the login at the provider is more
        than ten minutes ago, `passkeys_many`, `account_quarantined`."""
        self._check_fresh(session)
        own = self._own_with_room(session)
        handle = own[0].handle if own else unbase64(self._ports.draw())
        challenge = await self._challenge(BINDING, token, session.jkt, handle)
        return creation_options(site, session.sub, handle, challenge, [each.credential for each in own])

    async def bind(self, session: Session, token: str, sent: Sent, site: Site, name: str) -> Passkey:
        """A new passkey of the session's account, which calls it `name`; in the journal before it opens anything. Raises
        `passkey_refused`, `passkeys_many`, `insufficient_user_authentication`, `account_quarantined`."""
        self._check_fresh(session)
        try:
            challenge = self._ports.authenticators.challenge_of(sent)
            begun = await self._taken(BINDING, challenge, token)
            made = self._ports.authenticators.created(sent, challenge, site)
        except ValueError:
            raise PASSKEY_REFUSED() from None
        passkey = Passkey(
            id=self._hub.ids.new("pky_"),
            credential=made.credential,
            public_key=made.public_key,
            count=made.count,
            handle=unbase64(begun.nonce),
            person=person_of(session),
            issuer=session.issuer,
            bound_ts=self._now_ts(),
            until_ts=session.auth_ts + self._ports.passkey_s,
            used_ts=0,
            name=named(name),
            kind=made.kind,
        )
        if len(made.credential) > CREDENTIAL_BYTES_MAX or self._ports.passkeys.find(made.credential):
            raise PASSKEY_REFUSED()
        self._own_with_room(session)
        await record_passkey(self._hub, session.sub, passkey.id, BOUND)
        try:
            return self._kept(session, passkey)
        except Refused:
            self._ports.passkeys.remove(session.sub, passkey.id)
            await record_passkey(self._hub, session.sub, passkey.id, NOT_KEPT)
            raise

    async def ask(self, jkt: str, site: Site) -> tuple[dict[str, Any], str]:
        """What a passkey is asked for a session of the key `jkt`, and the browser's cookie. Raises `passkey_refused`."""
        if not is_thumbprint(jkt):
            raise PASSKEY_REFUSED()
        browser = self._ports.draw()
        return request_options(site, await self._challenge(USING, browser, jkt, b"")), browser

    async def use(self, sent: Sent, browser: str, site: Site) -> Opened:
        """A session by a passkey. Raises `passkey_refused`, whatever is wrong with it; a login of a level that is no longer
        enough is `insufficient_user_authentication`, one that is quarantined `account_quarantined`."""
        try:
            challenge = self._ports.authenticators.challenge_of(sent)
            begun = await self._taken(USING, challenge, browser)
            passkey = self._known(sent)
            signed = self._ports.authenticators.signed(sent, challenge, site, passkey)
        except (ValueError, LookupError, TypeError):
            raise PASSKEY_REFUSED() from None
        issuer = self._issuers.trusted.get(passkey.issuer)
        if issuer is None or not self._ports.passkeys.used(passkey, signed.count, self._now_ts()):
            raise PASSKEY_REFUSED()
        check_open(self._hub, passkey.person.sub, passkey.person.auth_ts)
        opened = self._logins.session_of(passkey.person, jkt=begun.jkt, way="passkey")
        levels = msgspec.structs.replace(issuer, acr_values=self._ports.client.acr_values)
        check_level(account_of(opened.session), levels)
        self._logins.keep(opened)
        return opened

    def of(self, session: Session) -> Sequence[Passkey]:
        """The passkeys of the session's account."""
        return self._ports.passkeys.of(session.sub)

    async def remove(self, session: Session, id_: str) -> None:
        """Remove one of one's own. Raises `not_found`, `account_quarantined`."""
        check_open(self._hub, session.sub, session.auth_ts)
        if not self._ports.passkeys.remove(session.sub, id_):
            raise NOT_FOUND()
        await record_passkey(self._hub, session.sub, id_, REMOVED)

    def _own_with_room(self, session: Session) -> Sequence[Passkey]:
        """The account's passkeys, if it may have one more. Raises `passkeys_many`, `account_quarantined`."""
        check_open(self._hub, session.sub, session.auth_ts)
        own = self._ports.passkeys.of(session.sub)
        if len(own) >= PER_ACCOUNT_MAX:
            raise PASSKEYS_MANY()
        return own

    def _kept(self, session: Session, passkey: Passkey) -> Passkey:
        """The passkey, kept now; raises what happened since it was looked at: others were bound, or the account was shut."""
        if not self._ports.passkeys.put(passkey):
            self._own_with_room(session)
            raise PASSKEY_REFUSED()
        check_open(self._hub, session.sub, session.auth_ts)
        return passkey

    def _check_fresh(self, session: Session) -> None:
        if session.way != "login":  # cannot be fresh either: its time is that of the login it was bound at
            raise PASSKEY_REFUSED()
        require_fresh(account_of(session), self._now_ts(), max_age_s=BIND_S_MAX)

    def _known(self, sent: Sent) -> Passkey:
        """The passkey an answer says it is of, and its handle says too; of one that lapsed, `ValueError`."""
        found = self._ports.passkeys.find(unbase64(str(sent["id"])))
        handle = unbase64(str(sent["response"].get("userHandle", "")))
        if found is None or handle != found.handle or is_lapsed(found, self._now_ts()):
            raise ValueError("no passkey of anybody")
        return found

    async def _challenge(self, purpose: str, browser: str, jkt: str, handle: bytes) -> str:
        """A new challenge, remembered with the handle of the account it is for."""
        challenge = self._ports.draw()
        begun = Begun(base64url(handle), "", jkt, "", self._now_ts())
        await self._ports.under_way.begin(fingerprint(purpose + challenge), fingerprint(browser), begun)
        return challenge

    async def _taken(self, purpose: str, challenge: str, browser: str) -> Begun:
        if len(challenge) != SECRET_CHARS or len(browser) != SECRET_CHARS:
            raise ValueError("no challenge of ours")
        begun = await self._ports.under_way.taken(fingerprint(purpose + challenge), fingerprint(browser))
        if begun is None or is_late(begun, self._now_ts()):
            raise ValueError("no challenge that waits")
        return begun

    def _now_ts(self) -> int:
        return self._hub.now_ts_us // 1_000_000
