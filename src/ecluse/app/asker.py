"""Who sent a request: the token verified once, its binding and the level of the login on every request.

A session of the portal is recognised by its cookie, and held to the same binding and level. It is read anew on every request,
so that one that was ended anywhere is ended here.

Verified tokens are remembered by their hash until they expire, or until an issuer's keys change: a key taken back takes its
tokens with it, and so do keys that are too old to be believed. A verification costs 100 µs and more, about as much as a whole
rights check.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from ecluse.app.aside import aside
from ecluse.app.portal.sessions import OpenSessions
from ecluse.app.ports import Clock
from ecluse.app.ports.issuers import Issuers
from ecluse.app.ports.proofs import Proofs
from ecluse.gate.challenge import INVALID_TOKEN, UNAUTHENTICATED, Challenged, invalid_proof
from ecluse.gate.holder import SESSION, Memory, Sent, check_level, check_proof, check_scheme
from ecluse.gate.identity import PROFESSIONAL, Account, KeyUnknown, given, is_outdated, may_vouch, verify
from ecluse.gate.portal.session import Session, account_of

REMEMBERED_MAX = 100_000  # accounts of a large hub asking at once; about 50 MB


class Recognised(NamedTuple):
    """Who asks, and the nonce their next proof should have (empty: the one they have)."""

    account: Account
    nonce: str = ""


class Askers:
    """Recognises askers. Without `proofs`, a token bound to a key opens nothing; without `sessions`, no cookie does.

    `came`: told of each token that is new to this process, once it is verified, whatever comes of the request.
    """

    def __init__(
        self,
        issuers: Issuers,
        clock: Clock,
        proofs: Proofs | None = None,
        *,
        nonce_required: bool = True,
        came: Callable[[str, int], None] = lambda *_: None,
        sessions: OpenSessions | None = None,
    ) -> None:
        self._issuers = issuers
        self._clock = clock
        self._proofs = proofs
        self._nonce_required = nonce_required
        self._came = came
        self._sessions = sessions
        self._known: dict[bytes, Account] = {}
        self._changed = issuers.changed

    async def recognise(self, sent: Sent) -> Recognised:
        """Who sent this. Raises `unauthenticated`, `invalid_dpop_proof`, `use_dpop_nonce`,
        `insufficient_user_authentication`, `proofs_full`."""
        if sent.scheme == SESSION:
            return self.session(sent)[1]
        now_ts = int(self._clock.now().timestamp())
        account = await self._account(sent.token, now_ts)
        issuer = self._issuers.trusted.get(account.issuer)
        if issuer is None or now_ts >= account.expires_ts or is_outdated(issuer, now_ts):
            raise Challenged(UNAUTHENTICATED, INVALID_TOKEN)
        check_scheme(account, sent, issuer)
        nonce = self._proved(account, sent, now_ts) if account.jkt else ""
        check_level(account, issuer)
        return Recognised(account, nonce)

    def session(self, sent: Sent) -> tuple[Session, Recognised]:
        """The session of whose cookie this is, who has its key too. Raises the same."""
        now_ts = int(self._clock.now().timestamp())
        found = self._sessions.find(sent.token, now_ts) if self._sessions else None
        issuer = self._issuers.trusted.get(found.issuer) if found else None
        if self._sessions is None or found is None or issuer is None or not may_vouch(issuer, found.sub):
            raise Challenged(UNAUTHENTICATED, INVALID_TOKEN)
        account = account_of(found, given(PROFESSIONAL, issuer))
        nonce = self._proved(account, sent, now_ts)
        check_level(account, issuer)
        self._sessions.touch(sent.token, found, now_ts)
        return found, Recognised(account, nonce)

    def _proved(self, account: Account, sent: Sent, now_ts: int) -> str:
        """Check the proof and remember it; the nonce to tell."""
        if self._proofs is None:
            raise invalid_proof()
        memory = Memory(self._proofs.secrets(now_ts), self._nonce_required, self._proofs.since_ts)
        proof, nonce = check_proof(account, sent, memory, now_ts)
        if not self._proofs.first(proof, now_ts):
            raise invalid_proof()
        return nonce

    async def _account(self, token: str, now_ts: int) -> Account:
        if self._changed != self._issuers.changed:
            self._known.clear()
            self._changed = self._issuers.changed
        fingerprint = sha256(token.encode("latin-1")).digest()
        return self._known.get(fingerprint) or await self._met(fingerprint, token, now_ts)

    async def _met(self, fingerprint: bytes, token: str, now_ts: int) -> Account:
        account = self._remember(fingerprint, await self._verified(token, now_ts))
        await aside(self._came, account.sub, now_ts * 1_000_000)
        return account

    async def _verified(self, token: str, now_ts: int) -> Account:
        try:
            return verify(token, self._issuers.trusted, now_ts)
        except KeyUnknown as unknown:
            if not await self._issuers.refresh(unknown.issuer):
                raise
        return verify(token, self._issuers.trusted, now_ts)

    def _remember(self, fingerprint: bytes, account: Account) -> Account:
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[fingerprint] = account
        return account
