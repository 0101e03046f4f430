"""A real provider tells the hub, server to server, that it ended a session (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.browser import Browser
from tests.journeys.test_oidc import too_old
from tests.journeys.test_portal import World, refused
from tests.journeys.test_portal_logout import said_yes

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")
PATH = "/portal/backchannel-logout"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Told(World):
    """A world whose provider tells the hub of logouts; `names_logins`: of which login, or else of whom."""

    names_logins: bool


@pytest.fixture(scope="module", params=[True, False], ids=["names logins", "names accounts"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("told") / "hub", features={"backchannelLogout": {"enabled": True}})
    made.names_logins = request.param
    made.start(backchannel_logout_session_required=made.names_logins)
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def leave_provider(browser: Browser, world: World) -> None:
    """Log out at the provider, which does not know that the hub's page exists."""
    said_yes(browser, f"{world.provider.issuer}/session/end")


def is_in(browser: Browser) -> bool:
    answer = browser.ask("GET", "/portal/session")
    assert answer.status_code == 200 or refused(answer) == (401, "unauthenticated")
    return answer.status_code == 200


def test_who_logs_out_at_the_provider_is_logged_out_here(world: Told) -> None:
    here, elsewhere = world.logged_in(), world.logged_in()
    leave_provider(here, world)
    assert {is_in(here) for _ in range(4)} == {False}  # in both workers
    assert is_in(elsewhere) is world.names_logins  # another login of that person's, if the provider can say so
    assert here.log_in().status_code == 303
    assert is_in(here)


BAD: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "no token": ({"data": {}}, (400, "malformed")),
    "two": ({"content": b"logout_token=a.b.c&logout_token=a.b.c", "headers": FORM}, (400, "malformed")),
    "no form": ({"json": ["a.b.c"]}, (400, "malformed")),
    "no token of anybody's": ({"data": {"logout_token": "a.b.c", "more": "x"}}, (400, "logout_token_refused")),
    "a long one": ({"data": {"logout_token": "a" * 4097}}, (400, "malformed")),
    "huge": ({"data": {"logout_token": "a" * 9000}}, (413, "too_large")),
    "a page's": ({"data": {"logout_token": "a.b.c"}, "headers": {"sec-fetch-site": "same-origin"}}, (403, "cross_site")),
    "another page's": ({"data": {"logout_token": "a.b.c"}, "headers": {"origin": "https://evil.example"}}, (403, "cross_site")),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_strangers_send(world: World, what: str) -> None:
    sent, expected = BAD[what]
    answer = httpx.post(world.hub.url + PATH, **sent)
    assert refused(answer) == expected
    assert "set-cookie" not in answer.headers
