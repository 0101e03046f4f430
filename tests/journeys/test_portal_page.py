"""The portal's page in a real browser (Chromium): its policy holds, its key stays, its cookies are taken on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.browser import SESSION
from tests.chromium import CHROMIUM, Page
from tests.journeys.site import AMC, DOCTOR, MEMBER, PRODUCT
from tests.journeys.test_oidc import too_old
from tests.journeys.test_portal import World
from tests.journeys.test_portal_pushed import PUSHED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers"),
    pytest.mark.skipif(CHROMIUM is None, reason="no browser is here: apt-get install chromium"),
]
IN = "document.getElementById('ask')?.hidden === false"
OUT = "document.getElementById('login')?.hidden === false"
SIGNED = ("--operator", "a.martin", "--reason", "essai")
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("page") / "hub", features={**PUSHED, "backchannelLogout": {"enabled": True}})
    made.start(backchannel_logout_session_required=True)
    product = made.hub.directory.parent / "base.yaml"
    product.write_text(PRODUCT)
    made.hub.run("product", "load", str(product), "--insurer", AMC)
    made.hub.load([{}])
    yield made
    made.hub.stop()
    made.provider.stop()
    made.client.close()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path / "profile")
    yield made
    made.close()


def click(page: Page, element: str) -> None:
    page.run(f"document.getElementById('{element}').click()")


def entered(world: World, page: Page, host: str = "127.0.0.1") -> str:
    """Log in; the portal's origin."""
    origin = world.hub.url.replace("127.0.0.1", host)
    page.go(f"{origin}/portal/")
    page.until(OUT)
    click(page, "enter")
    page.until(f"location.origin === '{origin}' && {IN}")
    return origin


def ask(page: Page, **changes: str) -> None:
    said = {"insurer": AMC, "nir": MEMBER["nir"], "birth_date": MEMBER["birth_date"], **changes}
    for name, value in said.items():
        page.run(f"document.getElementById('{name}').value = '{value}'")
    page.run("document.getElementById('question').requestSubmit()")


def keys(page: Page) -> str:
    return str(page.run("document.getElementById('keys-list').innerText"))


def press(page: Page, key: str) -> None:
    code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
    text = {"text": "\r"} if key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        page.told("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


def answer(page: Page) -> str:
    return str(page.until("!document.getElementById('answer').hidden && document.getElementById('answer').innerText"))


def test_a_person_logs_in_asks_and_logs_out(world: World, page: Page) -> None:
    origin = entered(world, page)
    assert page.run("location.href") == f"{origin}/portal/"  # nothing of the login stays in the address
    assert page.run("document.cookie") == ""
    (cookie,) = [each for each in page.told("Network.getCookies", urls=[origin])["cookies"] if each["name"] == SESSION]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    ask(page)
    assert answer(page).startswith("Couvert")
    ask(page, birth_date="1979-06-15")
    page.until("document.getElementById('answer').innerText.startsWith('Pas de confirmation')")
    page.go(f"{origin}/portal/")  # again, and still in
    page.until(IN)
    click(page, "out")
    page.until(OUT)
    assert not [each for each in page.told("Network.getCookies", urls=[origin])["cookies"] if each["name"] == SESSION]
    assert not [each for each in page.errors if "Content Security Policy" in each or "exception" in each.lower()]


def test_a_person_logs_out_at_the_provider_too(world: World, page: Page) -> None:
    origin = entered(world, page)
    click(page, "out")
    page.until("!document.getElementById('left').hidden && document.activeElement.id === 'left-title'")
    page.until(OUT)
    click(page, "leave")
    page.until("Boolean(document.querySelector('button[name=logout][value=yes]'))")  # the provider asks
    page.run("document.querySelector('button[name=logout][value=yes]').click()")
    page.until(f"location.href === '{origin}/portal/' && {OUT}")
    page.until(
        "document.getElementById('told').textContent.startsWith('Vous êtes déconnecté d’Écluse ; du fournisseur')"
    )
    page.go("about:blank")
    page.go(f"{origin}/portal/#out=1")  # any link may say so: it is believed of a logout that the page began
    page.until(OUT)
    assert page.run("document.getElementById('told').hidden")


def test_the_key_cannot_leave_the_page(world: World, page: Page) -> None:
    entered(world, page)
    told = page.run(
        """new Promise((done) => {
          const opening = indexedDB.open('ecluse')
          opening.onsuccess = () => {
            const asked = opening.result.transaction('kept').objectStore('kept').get('key')
            asked.onsuccess = () => crypto.subtle.exportKey('jwk', asked.result.privateKey)
              .then(() => done('exported'), (refused) => done(refused.name))
          }
        })"""
    )
    assert told == "InvalidAccessError"


def test_a_wrong_field_is_shown(world: World, page: Page) -> None:
    entered(world, page)
    ask(page, nir="279067505612358")
    page.until("document.querySelector('#nir[aria-invalid=true]') && !document.getElementById('told').hidden")


def test_an_account_that_is_limited_logs_in_again_and_is_answered(world: World, page: Page) -> None:
    entered(world, page)
    world.hub.run("gate", "contain", DOCTOR, "step-up", *SIGNED)
    ask(page, birth_date="1979-06-16")
    page.until("document.getElementById('again').hidden === false")
    time.sleep(1)  # a login is told in whole seconds, and must come after the limit
    click(page, "step-up")
    page.until(f"{IN} && document.getElementById('again').hidden")
    ask(page)
    assert answer(page).startswith("Couvert")
    assert world.hub.json("gate", "show", DOCTOR)["step"] == "slowed"


def test_a_passkey_of_a_real_browser(world: World, page: Page) -> None:
    page.told("WebAuthn.enable")
    page.told("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
    entered(world, page, "localhost")  # an address of numbers is no name of a site (WebAuthn §5.1.2)
    page.until("!document.getElementById('keys-none').hidden")
    page.run("document.getElementById('key-name').value = 'poste du secrétariat'")
    click(page, "bind")
    page.until("document.getElementById('keys-told').textContent.startsWith('Clé d’accès liée')")
    assert "poste du secrétariat" in keys(page)
    assert "jamais utilisée" in keys(page)
    click(page, "out")
    page.until(OUT)
    click(page, "passkey")
    page.until(IN)
    ask(page)
    assert answer(page).startswith("Couvert")
    assert page.run("document.getElementById('new-key').hidden")  # a passkey binds no other
    page.until("document.getElementById('keys-list').innerText.includes('utilisée pour la dernière fois')")


def test_a_passkey_is_removed_by_keyboard_once_the_person_said_so_twice(world: World, page: Page) -> None:
    page.told("WebAuthn.enable")
    page.told("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
    entered(world, page, "localhost")
    page.until("Boolean(document.querySelector('#keys-list button')) || !document.getElementById('keys-none').hidden")
    before = page.run("document.querySelectorAll('#keys-list li').length")
    page.run("document.getElementById('key-name').value = 'à retirer'")
    click(page, "bind")
    page.until("document.getElementById('keys-told').textContent.startsWith('Clé d’accès liée')")
    for keystrokes, gone in ((["Escape"], False), (["Enter"], False), (["Tab", "Enter"], True)):
        page.run("document.querySelector('#keys-list li:last-child button').focus()")
        press(page, "Enter")
        page.until("document.getElementById('removal').open && document.activeElement.id === 'removal-no'")
        assert page.run("document.getElementById('removal-which').textContent") == "à retirer"
        for each in keystrokes:
            press(page, each)
            assert each != "Tab" or page.until("document.activeElement.id === 'removal-yes'")
        page.until("!document.getElementById('removal').open")
        if not gone:
            page.until("document.activeElement?.textContent === 'Retirer'")  # where the person was
            assert "à retirer" in keys(page)
    page.until("document.getElementById('keys-told').textContent === 'Clé d’accès retirée : à retirer.'")
    page.until("document.activeElement.id === 'keys-title'")
    assert page.run("document.querySelectorAll('#keys-list li').length") == before
    assert "à retirer" not in keys(page)


def test_what_is_read_aloud_of_a_passkey_says_which(world: World, page: Page) -> None:
    page.told("WebAuthn.enable")
    page.told("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
    entered(world, page, "localhost")
    page.run("document.getElementById('key-name').value = 'téléphone'")
    click(page, "bind")
    page.until("document.getElementById('keys-told').textContent.startsWith('Clé d’accès liée')")
    page.run("document.querySelector('#keys-list li:last-child button').click()")
    page.until("document.getElementById('removal').open")
    nodes = page.told("Accessibility.getFullAXTree")["nodes"]
    read = {(each["role"]["value"], each.get("name", {}).get("value", "")) for each in nodes if not each["ignored"]}
    assert {("dialog", "Retirer cette clé d’accès ?"), ("button", "La garder"), ("button", "La retirer")} <= read
    click(page, "removal-no")
    page.until("!document.getElementById('removal').open")
    nodes = page.told("Accessibility.getFullAXTree")["nodes"]
    read = {(each["role"]["value"], each.get("name", {}).get("value", "")) for each in nodes if not each["ignored"]}
    assert ("region", "Vos clés d’accès") in read
    assert [name for role, name in read if role == "button" and name.startswith("Retirer téléphone, liée le ")]


def test_a_refused_login_comes_back_to_the_page(world: World, page: Page) -> None:
    page.go(f"{world.hub.url}/portal/callback?state={'A' * 43}&code=x")
    page.until(
        "location.pathname === '/portal/' && document.getElementById('told')?.textContent.startsWith('Cette identification')"
    )


def test_a_link_changes_nothing_of_a_session_and_says_nothing(world: World, page: Page) -> None:
    origin = entered(world, page)
    page.go("about:blank")
    page.go(f"{origin}/portal/#ath={'A' * 43}")
    page.until(IN)
    for words in ("Appelez%20le%200899", "__proto__"):
        page.go("about:blank")
        page.go(f"{origin}/portal/#refused={words}")
        page.until(f"{IN} || {OUT}")
        assert "Appelez" not in page.run("document.body.innerText")


def test_the_page_says_what_it_may_load(world: World) -> None:
    answers = [httpx.get(f"{world.hub.url}/portal/{name}") for name in ("", "portal.js", "portal.css")]
    assert [each.headers["content-type"].partition(";")[0] for each in answers] == [
        "text/html",
        "text/javascript",
        "text/css",
    ]
    for each in answers:
        assert each.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert (each.headers["x-content-type-options"], each.headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert " style=" not in answers[0].text
    assert "<script>" not in answers[0].text
