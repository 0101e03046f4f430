"""Logins whose request is pushed beforehand (RFC 9126), at a real provider that takes no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.site import DOCTOR, question
from tests.journeys.test_oidc import CHECKS, too_old
from tests.journeys.test_portal import World, asked, changed, refused

pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")
PUSHED = {"pushedAuthorizationRequests": {"enabled": True, "requirePushedAuthorizationRequests": True}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("pushed") / "hub", features=PUSHED, ECLUSE_PORTAL_PUSHED_REQUIRED="true")
    made.start()
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


def test_the_browser_carries_a_name_and_the_login_holds(world: World) -> None:
    browser = world.browser()
    url = browser.leave()
    assert asked(url).keys() == {"client_id", "request_uri"}
    assert browser.back(browser.arrive(url)).status_code == 303
    told = browser.ask("GET", "/portal/session").json()
    assert (told["account"], told["acr"]) == (DOCTOR, "eidas2")
    assert browser.ask("POST", CHECKS, json=question()).status_code == 200
    assert browser.log_in(step_up=True).status_code == 303


def test_what_a_browser_adds_to_a_pushed_request_changes_nothing(world: World) -> None:
    browser = world.browser()
    url = changed(browser.leave(), login_hint="rpps:10000000002", acr_values="eidas1", state="A" * 43)
    assert browser.back(browser.arrive(url)).status_code == 303
    told = browser.ask("GET", "/portal/session").json()
    assert (told["account"], told["acr"]) == (DOCTOR, "eidas2")


def test_a_pushed_request_serves_one_login(world: World) -> None:
    browser, other = world.browser(), world.browser()
    url = browser.leave()
    assert browser.back(browser.arrive(url)).status_code == 303
    with pytest.raises(AssertionError, match="400"):  # the provider leads nobody back
        other.arrive(url)


def test_nobody_is_sent_to_a_provider_that_takes_no_requests(tmp_path: Path) -> None:
    world = World(tmp_path / "hub", ECLUSE_PORTAL_PUSHED_REQUIRED="true")
    world.start()
    try:
        assert refused(world.browser().begin()) == (503, "login_provider_unfit")
    finally:
        world.hub.stop()
        world.provider.stop()
        world.client.close()


def test_a_hub_that_the_provider_does_not_know_sends_nobody(tmp_path: Path) -> None:
    world = World(tmp_path / "hub", features=PUSHED)
    world.start(client_id="somebody-else")
    try:
        answer = world.browser().begin()
        assert refused(answer) == (502, "login_request_refused")
        assert answer.json()["detail"] == "it said invalid_client"
    finally:
        world.hub.stop()
        world.provider.stop()
        world.client.close()
