"""Who sent a request: remembered tokens, and what is checked of them every time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ecluse.app.asker import Askers, Recognised
from ecluse.gate.dpop import Proof, Secrets, nonce
from ecluse.gate.holder import Sent
from ecluse.gate.identity import Account, Issuer, header_claims
from ecluse.gate.signature import public_key
from ecluse.kernel.errors import Refused
from tests.tokens import compact, elliptic, proof

NAME, URL = "https://psc.example", "https://hub.example.fr/v1/quotes"
HOLDER = elliptic()


class World:
    """An issuer, a clock and a memory of proofs, in one test's hands."""

    since_ts = 0

    def __init__(self, *, bearer: bool = False, acr_values: tuple[str, ...] = ()) -> None:
        self.now_ts = 1_800_000_000
        self.issuer = Issuer(NAME, "ecluse", (), bearer=bearer, acr_values=acr_values)
        self.trusted: Mapping[str, Issuer] = {}
        self.changed = self.refreshed = 0
        self.seen: set[str] = set()
        self.key = self.next_key = elliptic("k1")
        self.rotate()
        self.askers = Askers(self, self, self)

    def rotate(self) -> None:
        """The issuer's next key is the one the hub knows."""
        key = public_key(self.next_key.as_dict(private=False))
        self.trusted = {NAME: Issuer(**{**_members(self.issuer), "keys": (key,)})}
        self.changed += 1

    async def refresh(self, name: str) -> bool:
        self.refreshed += 1
        self.rotate()
        return name == NAME

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ts, UTC)

    def secrets(self, now_ts: int) -> Secrets:
        return Secrets(b"now" * 8, b"before" * 4)

    def first(self, proof: Proof, now_ts: int) -> bool:
        return not (proof.jti in self.seen or self.seen.add(proof.jti))  # type: ignore[func-returns-value]

    def token(self, **account: Any) -> str:
        claims = {"iss": NAME, "aud": "ecluse", "iat": self.now_ts, "exp": self.now_ts + 300}
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        return compact(header, {**claims, **header_claims(Account("rpps:1", **account))}, self.key)

    def asks(self, sent: Sent) -> Recognised:
        return asyncio.run(self.askers.recognise(sent))

    def proved(self, token: str, **claims: Any) -> Sent:
        claims = {"nonce": nonce(self.secrets(0).current, HOLDER.thumbprint()), **claims}
        made = proof(HOLDER, method="POST", url=URL, token=token, now_ts=self.now_ts, **claims)
        return Sent("dpop", token, "POST", URL, proofs=(made,))


def _members(issuer: Issuer) -> dict[str, Any]:
    return {name: getattr(issuer, name) for name in issuer.__struct_fields__}


def bearer(token: str) -> Sent:
    return Sent("bearer", token, "POST", URL)


def test_a_token_is_remembered_until_it_expires() -> None:
    world = World(bearer=True)
    token = world.token()
    assert world.asks(bearer(token)).account is world.asks(bearer(token)).account
    world.now_ts += 299
    world.asks(bearer(token))
    world.now_ts += 1
    with pytest.raises(Refused, match="unauthenticated"):
        world.asks(bearer(token))


def test_a_remembered_token_still_needs_its_proof_each_time() -> None:
    world = World()
    token = world.token(jkt=HOLDER.thumbprint())
    first = world.proved(token)
    assert world.asks(first).account.jkt == HOLDER.thumbprint()
    for stolen, code in (
        (bearer(token), "unauthenticated"),
        (Sent("dpop", token, "POST", URL), "invalid_dpop_proof"),
        (first, "invalid_dpop_proof"),
        (world.proved(token, htu="https://hub.example.fr/v1/claims"), "invalid_dpop_proof"),
    ):
        with pytest.raises(Refused, match=code):
            world.asks(stolen)
    world.asks(world.proved(token))


def test_a_proof_that_is_refused_is_not_used_up() -> None:
    world = World()
    token = world.token(jkt=HOLDER.thumbprint())
    for claims in ({"nonce": "guessed"}, {"ath": "x" * 43}, {"iat": 0}):
        with pytest.raises(Refused):
            world.asks(world.proved(token, jti="one of a kind", **claims))
    assert not world.seen
    world.asks(world.proved(token, jti="one of a kind"))


def test_without_a_memory_of_proofs_bound_tokens_open_nothing() -> None:
    world = World()
    world.askers = Askers(world, world)
    token = world.token(jkt=HOLDER.thumbprint())
    with pytest.raises(Refused, match="invalid_dpop_proof"):
        world.asks(world.proved(token))


def test_a_rotated_key_is_asked_for_once() -> None:
    world = World(bearer=True)
    before = world.token()
    world.asks(bearer(before))
    world.key = world.next_key = elliptic("k2")
    world.asks(bearer(world.token()))
    assert world.refreshed == 1
    with pytest.raises(Refused, match="unauthenticated"):  # the key was taken back, and its tokens with it
        world.asks(bearer(before))
    with pytest.raises(Refused, match="unauthenticated"):
        world.asks(bearer("not.a.token"))
    assert world.refreshed == 2


def test_an_issuer_no_longer_trusted_takes_its_tokens_along() -> None:
    world = World(bearer=True)
    token = world.token()
    world.asks(bearer(token))
    world.trusted = {}
    with pytest.raises(Refused, match="unauthenticated"):
        world.asks(bearer(token))


def test_keys_that_are_too_old_take_the_tokens_along_that_they_verified() -> None:
    world = World(bearer=True)
    token = world.token()
    world.issuer = Issuer(**{**_members(world.issuer), "until_ts": world.now_ts + 100})
    world.rotate()
    for passed_s, known in ((99, True), (1, False)):
        world.now_ts += passed_s
        if known:
            world.asks(bearer(token))
        else:
            with pytest.raises(Refused, match="unauthenticated"):
                world.asks(bearer(token))
    assert world.refreshed == 0  # that is for who asks issuers in the background
    world.issuer = Issuer(**{**_members(world.issuer), "until_ts": world.now_ts + 100})
    world.rotate()
    world.asks(bearer(token))


def test_a_thief_does_not_learn_the_level_that_is_expected() -> None:
    world = World(acr_values=("eidas3",))
    token = world.token(jkt=HOLDER.thumbprint(), acr="eidas1")
    with pytest.raises(Refused, match="insufficient_user_authentication"):
        world.asks(world.proved(token))
    for stolen in (bearer(token), bearer(world.token(acr="eidas1"))):
        with pytest.raises(Refused, match="unauthenticated"):
            world.asks(stolen)
