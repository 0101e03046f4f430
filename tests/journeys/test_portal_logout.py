"""Sessions ended at the provider too (OpenID Connect RP-Initiated Logout 1.0), by a real one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.browser import LOGIN, OWN, SESSION, Browser
from tests.journeys.test_oidc import too_old
from tests.journeys.test_portal import World, asked, changed, refused

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("logout") / "hub")
    made.start()
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def leave(browser: Browser) -> str:
    """Go to the provider's logout; its address."""
    answer = browser.send("GET", f"{browser.hub}/portal/logout", headers=OWN)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def said_yes(browser: Browser, url: str) -> str:
    """Say yes to the provider; the address it leads back to."""
    page = browser.send("GET", url)
    assert page.status_code == 200, page.text
    form = dict(re.findall(r'name="(xsrf)" value="([^"]+)"', page.text))
    action = re.search(r'action="([^"]+)"', page.text)
    assert action
    answer = browser.send("POST", urljoin(url, action[1]), data={**form, "logout": "yes"})
    return answer.headers["location"]


def authenticated_at(browser: Browser) -> str:
    assert browser.log_in().status_code == 303
    return str(browser.ask("GET", "/portal/session").json()["authenticated_at"])


def test_the_provider_s_session_ends_and_the_next_login_is_a_new_one(world: World) -> None:
    browser = world.browser()
    first = authenticated_at(browser)
    time.sleep(1)  # a login is told in whole seconds
    assert authenticated_at(browser) == first  # the provider knew who it was
    back = said_yes(browser, leave(browser))
    assert (urlsplit(back).path, asked(back).keys()) == ("/portal/logged-out", {"state"})
    answer = browser.back(back, accept="text/html")
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/#out=1")
    assert LOGIN not in browser.cookies
    assert authenticated_at(browser) > first


def test_nothing_of_the_person_is_in_the_address(world: World) -> None:
    url = leave(world.logged_in())
    assert asked(url).keys() == {"client_id", "post_logout_redirect_uri", "state"}
    assert asked(url)["post_logout_redirect_uri"] == f"{world.hub.url}/portal/logged-out"


def test_the_session_here_ends_before_the_provider_is_asked(world: World) -> None:
    browser = world.logged_in()
    kept = {**browser.cookies}
    leave(browser)
    assert SESSION not in browser.cookies
    browser.cookies.update(kept)
    assert refused(browser.ask("GET", "/portal/session")) == (401, "unauthenticated")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_logs_nobody_out(world: World, site: str) -> None:
    browser = world.logged_in()
    headers = {"sec-fetch-site": site}
    assert refused(browser.send("GET", f"{browser.hub}/portal/logout", headers=headers)) == (403, "cross_site")
    assert refused(browser.send("GET", f"{browser.hub}/portal/provider", headers=headers)) == (403, "cross_site")
    assert browser.ask("GET", "/portal/session").status_code == 200


def returned(browser: Browser, url: str) -> httpx.Response:
    return browser.back(f"{browser.hub}/portal/logged-out?{urlsplit(url).query}")


def test_a_return_is_taken_once_from_its_own_browser(world: World) -> None:
    browser, other = world.browser(), world.browser()
    url = leave(browser)
    cookies = {**browser.cookies}
    assert refused(returned(other, url)) == (403, "logout_refused")
    leave(other)  # with a cookie of its own
    assert refused(returned(other, url)) == (403, "logout_refused")
    assert refused(returned(browser, changed(url, state="A" * 43))) == (403, "logout_refused")
    browser.cookies.update(cookies)
    assert returned(browser, url).status_code == 303
    browser.cookies.update(cookies)
    assert refused(returned(browser, url)) == (403, "logout_refused")
    assert returned(browser, url).headers.get("location") is None
    led = browser.send("GET", f"{browser.hub}/portal/logged-out?state=x", headers={"accept": "text/html"})
    assert led.headers["location"] == "/portal/#refused=logout_refused"


def test_a_logout_s_state_is_no_login_s_and_the_other_way_round(world: World) -> None:
    browser = world.browser()
    state = asked(leave(browser))["state"]
    back = f"{browser.hub}/portal/callback?state={state}&code=x&iss={world.provider.issuer}"
    assert refused(browser.back(back)) == (403, "login_refused")
    assert refused(returned(browser, browser.leave())) == (403, "logout_refused")


def test_the_page_is_told_whether_the_provider_ends_sessions(world: World) -> None:
    told = world.browser().send("GET", f"{world.hub.url}/portal/provider", headers=OWN)
    assert (told.json(), told.headers["cache-control"]) == ({"ends_sessions": True}, "no-store")


def test_where_the_provider_ends_no_sessions_nobody_is_sent_and_the_session_ends(tmp_path: Path) -> None:
    world = World(tmp_path / "hub", features={"rpInitiatedLogout": {"enabled": False}})
    world.start(post_logout_redirect_uris=None)
    try:
        browser = world.logged_in()
        kept = {**browser.cookies}
        told = browser.send("GET", f"{browser.hub}/portal/provider", headers=OWN)
        assert told.json() == {"ends_sessions": False}
        answer = browser.send("GET", f"{browser.hub}/portal/logout", headers=OWN)
        assert refused(answer) == (503, "logout_not_offered")
        assert SESSION not in browser.cookies
        browser.cookies.update(kept)
        assert refused(browser.ask("GET", "/portal/session")) == (401, "unauthenticated")
    finally:
        world.hub.stop()
        world.provider.stop()
        world.client.close()
