"""Logins with a provider that forges, a clock that is set, and the real memory of sessions, which two processes share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ecluse.app.asker import Askers
from ecluse.app.portal.login import Logins, Opened
from ecluse.app.portal.sessions import OpenSessions
from ecluse.app.ports.portal import Endpoints, PortalPorts
from ecluse.engines.clock import RandomIds
from ecluse.engines.portal_key import draw
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.passkeys import LocalPasskeys
from ecluse.engines.sqlite.sessions import PER_ACCOUNT_MAX, LocalSessions
from ecluse.engines.sqlite.under_way import TOO_OLD_TOGETHER, LocalUnderWay
from ecluse.engines.webauthn import WebAuthn
from ecluse.gate.dpop import Proof, Secrets, nonce
from ecluse.gate.holder import SESSION, Sent, require_fresh
from ecluse.gate.identity import Issuer
from ecluse.gate.portal.id_token import Names
from ecluse.gate.portal.login import LOGIN_S_MAX, Back, Begun, Client, Pushed, fingerprint
from ecluse.gate.signature import ALGORITHMS, public_key
from ecluse.kernel.errors import Refused
from tests.tokens import compact, elliptic, proof, respelt

PSC, URL = "https://psc.example", "https://hub.example.fr/v1/quotes"
HOLDER, NEXT, OTHERS = elliptic(), elliptic("k2"), elliptic("k1")
KEY = elliptic("k1")
ACR = ("eidas2",)
SECRETS = Secrets(b"now" * 8, b"before" * 4)


class World:
    """A provider, a clock and a memory of proofs in one test's hands; the rest is the product's."""

    since_ts, changed = 0, 0

    def __init__(self, path: Path, *, pushed_required: bool = False) -> None:
        self.now_ts = 1_800_000_000
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signed_by: Any = KEY
        self.broken: Exception | None = None
        self.asked: dict[str, str] = {}
        self.rotates = self.is_full = False
        self.subjects: tuple[str, ...] = ("rpps", "amc")
        self.pushed: Pushed | Exception | None = None
        self._keys = (KEY,)
        self.algorithms: tuple[str, ...] = ALGORITHMS
        self.sessions, self.others = LocalSessions(path), LocalSessions(path)
        client = Client(PSC, "ecluse", ("openid",), ACR, pushed_required)
        self.ports = PortalPorts(
            provider=self, sessions=self.sessions, under_way=LocalUnderWay(path.with_name("logins.db")),
            draw=draw, client=client, names=Names("practice", "profession"),
            session_s=14_400, idle_s=1800,
            passkeys=LocalPasskeys(path), authenticators=WebAuthn(),
        )  # fmt: skip
        self.logins = Logins(self.ports, self, self, RandomIds())
        self.askers = Askers(self, self, self, sessions=OpenSessions(self.others, 1800))

    @property
    def trusted(self) -> Mapping[str, Issuer]:
        keys = tuple(public_key(each.as_dict(private=False)) for each in self._keys)
        return {PSC: Issuer(PSC, "hub", keys, algorithms=self.algorithms, acr_values=ACR, subjects=self.subjects)}

    async def refresh(self, name: str) -> bool:
        self._keys = (KEY, NEXT) if self.rotates else (KEY,)
        return name == PSC

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ts, UTC)

    def secrets(self, now_ts: int) -> Secrets:
        return SECRETS

    def first(self, proof: Proof, now_ts: int) -> bool:
        return True

    async def endpoints(self) -> Endpoints:
        if isinstance(self.broken, OSError):
            raise self.broken
        return Endpoints(f"{PSC}/auth", f"{PSC}/token", tells_iss=True, pushed=f"{PSC}/par" if self.pushed else "")

    async def push(self, endpoints: Endpoints, asked: Mapping[str, str]) -> Pushed:
        if isinstance(self.pushed, Exception):
            raise self.pushed
        assert self.pushed
        self.asked = {**asked}
        return self.pushed

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        if self.is_full:
            raise OSError("too many wait")
        yield

    async def id_token(self, endpoints: Endpoints, code: str, verifier: str, redirect_uri: str) -> str:
        if self.broken:
            raise self.broken
        header = {"alg": "ES256", "kid": "k1", **self.header}
        claims = {
            "iss": PSC, "sub": "rpps:1", "aud": "ecluse", "nonce": self.asked["nonce"], "iat": self.now_ts,
            "exp": self.now_ts + 300, "acr": "eidas2", "auth_time": self.now_ts, "practice": "370000028",
            "profession": "medecin", **self.claims,
        }  # fmt: skip
        told = {name: value for name, value in claims.items() if value is not None}
        return compact({name: value for name, value in header.items() if value is not None}, told, self.signed_by)

    def leave(self, *, is_step_up: bool = False) -> str:
        """Begin a login; the browser's cookie."""
        begun = self.logins.begin(HOLDER.thumbprint(), "https://hub.example.fr/portal/callback", is_step_up=is_step_up)
        url, browser = asyncio.run(begun)
        self.led = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
        self.asked = self.asked if self.pushed else self.led
        return browser

    def log_in(self, *, is_step_up: bool = False, passed_s: int = 0) -> Opened:
        browser = self.leave(is_step_up=is_step_up)
        self.now_ts += passed_s
        return asyncio.run(self.logins.finish(Back(self.asked["state"], "a-code", PSC), browser))

    def ask(self, token: str, key: Any = HOLDER) -> Any:
        """Who the other process says asks."""
        said = {"nonce": nonce(SECRETS.current, key.thumbprint())}
        made = proof(key, method="POST", url=URL, token=token, now_ts=self.now_ts, **said)
        return asyncio.run(self.askers.recognise(Sent(SESSION, token, "POST", URL, (made,)))).account


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "portal.db")


def code_of(act: Any) -> str:
    with pytest.raises(Refused) as raised:
        act()
    assert raised.value.detail == raised.value.refusal.title  # no hint
    return raised.value.code


def test_a_login_is_an_account_in_every_process(world: World) -> None:
    account = world.ask(world.log_in().token)
    assert (account.sub, account.practice, account.profession) == ("rpps:1", "370000028", "medecin")
    assert (account.software, account.auth_ts, account.acr) == ("portal", world.now_ts, "eidas2")


# What is wrong with an ID token: claims, header, who signed; and the code.
FORGED: dict[str, tuple[dict[str, Any], dict[str, Any], Any, str]] = {
    "alg none": ({}, {"alg": "none"}, None, "login_refused"),
    "a shared secret": ({}, {"alg": "HS256"}, b"a-secret", "login_refused"),
    "its own public key as a secret": (
        {},
        {"alg": "HS256"},
        json.dumps(KEY.as_dict(private=False)).encode(),
        "login_refused",
    ),
    "another key of that name": ({}, {}, OTHERS, "login_refused"),
    "an unknown key": ({}, {"kid": "k9"}, OTHERS, "login_refused"),
    "a key it brings along": ({}, {"kid": None, "jwk": OTHERS.as_dict(private=False)}, OTHERS, "login_refused"),
    "an access token": ({}, {"typ": "at+jwt"}, KEY, "login_refused"),
    "critical": ({}, {"crit": ["b64"], "b64": True}, KEY, "login_refused"),
    "RS256, which is not allowed": ({}, {"alg": "RS256"}, None, "login_refused"),
    "another issuer": ({"iss": "https://evil.example"}, {}, KEY, "login_refused"),
    "another audience": ({"aud": "others"}, {}, KEY, "login_refused"),
    "an access token's audience": ({"aud": "hub"}, {}, KEY, "login_refused"),
    "made for others": ({"aud": ["ecluse", "others"], "azp": "others"}, {}, KEY, "login_refused"),
    "made for nobody": ({"aud": ["ecluse", "others"]}, {}, KEY, "login_refused"),
    "another nonce": ({"nonce": "n" * 43}, {}, KEY, "login_refused"),
    "no nonce": ({"nonce": None}, {}, KEY, "login_refused"),
    "expired": ({"exp": 1_800_000_000}, {}, KEY, "login_refused"),
    "for ever": ({"exp": 1_900_000_000}, {}, KEY, "login_refused"),
    "of tomorrow": ({"iat": 1_800_086_400, "exp": 1_800_086_700}, {}, KEY, "login_refused"),
    "made before the login began": ({"iat": 1_799_999_900}, {}, KEY, "login_refused"),
    "no time": ({"iat": None}, {}, KEY, "login_refused"),
    "a login of tomorrow": ({"auth_time": 1_800_086_400}, {}, KEY, "login_refused"),
    "an insurer": ({"sub": "amc:0075123456"}, {}, KEY, "login_refused"),
    "a scheme it may not vouch for": ({"sub": "adeli:1"}, {}, KEY, "login_refused"),
    "nobody": ({"sub": ""}, {}, KEY, "login_refused"),
    "a long name": ({"sub": "rpps:" + "1" * 124}, {}, KEY, "login_refused"),
    "a nested claim": ({"practice": {"siret": "1"}}, {}, KEY, "login_refused"),
    "a long claim": ({"practice": "3" * 33}, {}, KEY, "login_refused"),
    "too long": ({"other": "x" * 4096}, {}, KEY, "login_refused"),
    "too low": ({"acr": "eidas1"}, {}, KEY, "insufficient_user_authentication"),
    "no level": ({"acr": None}, {}, KEY, "insufficient_user_authentication"),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_id_token_is_refused_without_a_hint(world: World, what: str) -> None:
    world.claims, world.header, world.signed_by, code = FORGED[what]
    assert code_of(world.log_in) == code
    assert world.others.of("rpps:1") == []


def test_an_algorithm_its_issuer_may_not_use_is_refused_whatever_keys_it_has(world: World) -> None:
    world.algorithms = ("PS256",)
    assert code_of(world.log_in) == "login_refused"


def test_a_signature_is_of_every_byte(tmp_path: Path) -> None:
    class Respelt(World):
        async def id_token(self, *given: Any) -> str:
            return respelt(await super().id_token(*given))

    assert code_of(Respelt(tmp_path / "portal.db").log_in) == "login_refused"


def test_a_step_up_needs_a_fresh_login(world: World) -> None:
    world.claims = {"auth_time": world.now_ts - 3600}
    old = world.ask(world.log_in().token)
    assert code_of(lambda: require_fresh(old, world.now_ts, max_age_s=300)) == "insufficient_user_authentication"
    for stale in (world.now_ts - 3600, None):  # whoever was logged in at the provider already
        world.claims = {"auth_time": stale}
        assert code_of(lambda: world.log_in(is_step_up=True)) == "login_refused"
    world.claims = {}
    require_fresh(world.ask(world.log_in(is_step_up=True).token), world.now_ts, max_age_s=300)


def test_a_key_that_was_just_drawn_is_asked_for_once(world: World) -> None:
    world.signed_by, world.header, world.rotates = NEXT, {"kid": "k2"}, True
    assert world.ask(world.log_in().token).sub == "rpps:1"


@pytest.mark.parametrize(
    ("broken", "code"), [(OSError("away"), "login_provider_busy"), (ValueError("invalid_grant"), "login_refused")]
)
def test_a_provider_that_does_not_answer_and_one_that_refuses(world: World, broken: Exception, code: str) -> None:
    browser = world.leave()
    world.broken = broken
    assert code_of(lambda: asyncio.run(world.logins.finish(Back(world.asked["state"], "c", PSC), browser))) == code


def test_a_request_that_is_pushed_leaves_nothing_for_the_browser_to_carry(tmp_path: Path) -> None:
    world = World(tmp_path / "portal.db", pushed_required=True)
    assert code_of(world.leave) == "login_provider_unfit"
    world.pushed = Pushed("urn:x:1", 60)
    assert world.ask(world.log_in().token).sub == "rpps:1"
    assert world.led == {"client_id": "ecluse", "request_uri": "urn:x:1"}
    assert {"state", "nonce", "code_challenge", "redirect_uri", "acr_values"} <= world.asked.keys()


@pytest.mark.parametrize(
    ("pushed", "code", "detail"),
    [
        (OSError("away"), "login_provider_silent", ""),
        (ValueError("invalid_client"), "login_request_refused", "it said invalid_client"),
        (ValueError("rpps:10000000001"), "login_request_refused", ""),
        (Pushed("urn:x:1", 0), "login_request_refused", ""),
        (Pushed("", 60), "login_request_refused", ""),
    ],
)
def test_a_request_that_was_not_taken_sends_nobody(world: World, pushed: Any, code: str, detail: str) -> None:
    world.pushed = pushed
    with pytest.raises(Refused) as raised:
        world.leave()
    assert (raised.value.code, raised.value.detail) == (code, detail or raised.value.refusal.title)


def test_a_login_takes_ten_minutes_at_most(world: World) -> None:
    assert world.log_in(passed_s=LOGIN_S_MAX - 1).session.sub == "rpps:1"
    assert code_of(lambda: world.log_in(passed_s=LOGIN_S_MAX)) == "login_refused"


def test_a_session_is_of_an_account_that_its_issuer_may_still_vouch_for(world: World) -> None:
    token = world.log_in().token
    world.subjects = ("rpps:2*",)
    assert code_of(lambda: world.ask(token)) == "unauthenticated"
    assert code_of(world.log_in) == "login_refused"


def test_a_session_unused_ends_and_one_that_is_used_ends_too(world: World) -> None:
    idle, used = world.log_in().token, world.log_in().token
    for _ in range(9):  # every 26 minutes and 40 seconds, four hours long
        world.now_ts += 1600
        if world.now_ts < 1_800_000_000 + 14_400:
            world.ask(used)
        if world.now_ts > 1_800_000_000 + 1800:
            assert code_of(lambda: world.ask(idle)) == "unauthenticated"
    assert code_of(lambda: world.ask(used)) == "unauthenticated"


def test_without_its_key_a_session_opens_nothing_and_is_not_used(world: World) -> None:
    token = world.log_in().token
    world.now_ts += 1200
    assert code_of(lambda: world.ask(token, OTHERS)) == "invalid_dpop_proof"
    world.now_ts += 1200  # had the thief's request counted, it would hold still
    assert code_of(lambda: world.ask(token)) == "unauthenticated"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44])
def test_a_cookie_that_is_none(world: World, token: str) -> None:
    assert code_of(lambda: world.ask(token)) == "unauthenticated"


def test_an_account_has_a_handful_of_sessions(world: World) -> None:
    first, *others = [world.log_in().token for _ in range(PER_ACCOUNT_MAX + 1)]
    assert code_of(lambda: world.ask(first)) == "unauthenticated"
    assert {world.ask(each).sub for each in others} == {"rpps:1"}
    assert world.others.end_all("rpps:1") == PER_ACCOUNT_MAX


def test_what_was_begun_is_taken_once_and_by_its_own_browser(tmp_path: Path) -> None:
    first, second = (LocalUnderWay(tmp_path / "logins.db") for _ in range(2))
    state, browser = fingerprint("s"), fingerprint("b")

    async def told() -> list[Begun | None]:
        await first.begin(state, browser, begun_at(0))
        others = fingerprint("another browser's")
        asked = [second.taken(state, others), second.find(state, others), second.find(state, browser)]
        return [await each for each in (*asked, first.taken(state, browser), second.taken(state, browser))]

    assert asyncio.run(told()) == [None, None, begun_at(0), begun_at(0), None]


def test_a_flood_of_logins_is_kept_small_and_costs_each_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecluse.engines.sqlite.under_way.UNDER_WAY_MAX", 200)
    under_way = LocalUnderWay(tmp_path / "logins.db")

    async def flood(number: int, now_ts: int) -> int:
        for each in range(number):
            await under_way.begin(fingerprint(f"{now_ts} {each}"), fingerprint("b"), begun_at(now_ts))
        with connect(tmp_path / "logins.db") as file:
            return int(file.execute("SELECT count(*) FROM login").fetchone()[0])

    async def told() -> list[int]:
        flooded = await flood(300, 0)
        assert await under_way.find(fingerprint("0 0"), fingerprint("b")) is None  # the oldest of too many went
        assert await under_way.find(fingerprint("0 299"), fingerprint("b"))
        return [flooded, await flood(1, LOGIN_S_MAX + 1), await flood(9, LOGIN_S_MAX + 2)]

    assert asyncio.run(told()) == [201, 201 - TOO_OLD_TOGETHER + 1, 10]


def test_a_file_of_before_keeps_its_sessions(tmp_path: Path, world: World) -> None:
    token = world.log_in().token
    with connect(tmp_path / "portal.db") as file:  # as it was when logins under way were in it
        file.execute(
            "CREATE TABLE login (state BLOB NOT NULL UNIQUE, browser BLOB, begun_ts INTEGER, begun BLOB) STRICT"
        )
        file.execute("INSERT INTO login VALUES (x'00', x'00', 0, x'00')")
    assert LocalSessions(tmp_path / "portal.db").find(fingerprint(token))
    with connect(tmp_path / "portal.db") as file:
        assert not file.execute("SELECT * FROM sqlite_master WHERE name = 'login'").fetchall()


def test_who_finds_no_place_at_the_provider_comes_again(world: World) -> None:
    browser = world.leave()
    back = Back(world.asked["state"], "c", PSC)
    for world.is_full, world.broken in ((True, None), (False, OSError("away"))):
        with pytest.raises(Refused, match="login_provider_busy"):
            asyncio.run(world.logins.finish(back, browser))
    world.broken = None
    assert asyncio.run(world.logins.finish(back, browser)).session.sub == "rpps:1"
    assert code_of(lambda: asyncio.run(world.logins.finish(back, browser))) == "login_refused"


def begun_at(begun_ts: int) -> Begun:
    return Begun("n", "v", "k", "https://hub.example.fr/portal/callback", begun_ts)
