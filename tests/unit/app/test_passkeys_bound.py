"""Passkeys at work with a journal that fails and others who act meanwhile; the memory is the real one, which processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecluse.app.portal.passkeys import BoundPasskeys
from ecluse.engines.clock import RandomIds
from ecluse.engines.portal_key import draw
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.passkeys import LocalPasskeys
from ecluse.engines.sqlite.under_way import LocalUnderWay
from ecluse.engines.webauthn import WebAuthn
from ecluse.gate.containment import Contained, Containment, Kind, move
from ecluse.gate.portal.passkey import PER_ACCOUNT_MAX, Passkey, Site
from ecluse.gate.portal.session import Session
from ecluse.gate.signals import Step
from ecluse.kernel.errors import Refused
from tests.authenticator import Authenticator

NOW_TS, ACCOUNT, COOKIE = 1_800_000_000, "rpps:10000000001", "T" * 43
SITE = Site("localhost", "http://localhost:8400")
SESSION = Session(
    id="ses_1", sub=ACCOUNT, practice="370000028", profession="gp", issuer="iss", acr="", auth_ts=NOW_TS, jkt="j" * 43,
    way="login", begun_ts=NOW_TS, until_ts=NOW_TS + 14_400, seen_ts=NOW_TS,
)  # fmt: skip


class World:
    """Passkeys of one account, and what happens while an entry of the journal is being written."""

    def __init__(self, path: Path) -> None:
        self.told: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.passkeys, self.containments = LocalPasskeys(path / "portal.db"), LocalContainments(path / "gate.db")
        hub = SimpleNamespace(now_ts_us=NOW_TS * 1_000_000, ids=RandomIds(), desk=self, containments=self.containments)
        ports = SimpleNamespace(
            under_way=LocalUnderWay(path / "logins.db"), passkeys=self.passkeys, authenticators=WebAuthn(), draw=draw,
            passkey_s=90 * 86_400,
        )  # fmt: skip
        self.bound = BoundPasskeys(hub, ports, None, None)  # type: ignore[arg-type]

    async def record(self, entry: Any) -> None:
        self.told.append(entry.outcome)
        self.meanwhile()

    def bind(self) -> Passkey:
        options = asyncio.run(self.bound.offer(SESSION, COOKIE, SITE))
        return asyncio.run(
            self.bound.bind(SESSION, COOKIE, Authenticator(SITE.rp_id, SITE.origin).create(options), SITE, "")
        )

    def fill(self) -> None:
        (first,) = self.passkeys.of(ACCOUNT) or [self.bind()]
        for number in range(PER_ACCOUNT_MAX):
            other = {"id": f"pky_{number}", "credential": bytes([number])}
            self.passkeys.put(Passkey(**{name: getattr(first, name) for name in Passkey.__struct_fields__} | other))

    def quarantine(self) -> None:
        before = self.containments.state(Kind.ACCOUNT, ACCOUNT)
        after, made = move(Containment(Kind.ACCOUNT), Contained("a", Step.QUARANTINED, "b"), NOW_TS * 1_000_000)
        assert made
        assert self.containments.swap(ACCOUNT, before, after, made)
        self.passkeys.remove_all(ACCOUNT)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_passkey_that_is_not_in_the_journal_opens_nothing(world: World) -> None:
    def breaks() -> None:
        raise OSError("no disk")

    world.meanwhile = breaks
    with pytest.raises(OSError, match="no disk"):
        world.bind()
    assert world.passkeys.of(ACCOUNT) == []


def test_of_many_that_are_bound_at_once_eight_are_kept(world: World) -> None:
    world.bind()
    world.meanwhile = lambda: world.fill() if world.told[-1] == "bound" else None
    with pytest.raises(Refused, match="passkeys_many"):
        world.bind()
    assert len(world.passkeys.of(ACCOUNT)) == PER_ACCOUNT_MAX
    assert world.told == ["bound", "bound", "not_kept"]


def test_an_account_that_is_shut_while_it_binds_has_no_passkey(world: World) -> None:
    world.meanwhile = lambda: world.quarantine() if world.told[-1] == "bound" else None
    with pytest.raises(Refused, match="account_quarantined"):
        world.bind()
    assert (world.passkeys.of(ACCOUNT), world.told) == ([], ["bound", "not_kept"])
    with pytest.raises(Refused, match="account_quarantined"):
        asyncio.run(world.bound.remove(SESSION, "pky_1"))
