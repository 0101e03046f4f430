"""The portal's decisions: what comes back from a login, whose browser asks, how long a session holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.gate.identity import permit
from ecluse.gate.portal.id_token import LoggedIn
from ecluse.gate.portal.login import (
    LOGIN_S_MAX,
    REQUEST_URI_CHARS_MAX,
    Back,
    Begun,
    Client,
    Pushed,
    came_back,
    carried,
    check_back,
    fingerprint,
    is_thumbprint,
    led_to,
    request_of,
)
from ecluse.gate.portal.logout import check_return, logout_url
from ecluse.gate.portal.passkey import NAME_CHARS_MAX, named, person_of
from ecluse.gate.portal.session import (
    TOUCH_S,
    account_of,
    begin,
    check_own_navigation,
    check_own_site,
    ends_ts,
    is_due,
    is_over,
)
from ecluse.kernel.errors import Refused

NOW = 1_800_000_000
PSC, OWN = "https://psc.example", "https://hub.example.fr"
CLIENT = Client(PSC, "ecluse", ("openid", "scope_all"), ("eidas2", "eidas1"))
BEGUN = Begun("n" * 43, "v" * 43, "k" * 43, f"{OWN}/portal/callback", NOW)
BACK = Back("s" * 43, "a-code", PSC)


def session(**changes: Any) -> Any:
    person = LoggedIn("rpps:1", "370000028", "medecin", "eidas2", NOW - 5)
    made = begin(person, id_="ses_1", issuer=PSC, jkt="k" * 43, way="login", now_ts=NOW, session_s=14_400)
    return replace(made, **changes)


def test_where_a_browser_is_sent() -> None:
    url = led_to("https://psc.example/auth?realm=x", request_of(CLIENT, BEGUN, "s" * 43))
    told = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
    assert told == {
        "realm": "x",
        "response_type": "code",
        "client_id": "ecluse",
        "redirect_uri": f"{OWN}/portal/callback",
        "scope": "openid scope_all",
        "state": "s" * 43,
        "nonce": "n" * 43,
        "code_challenge": "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM",  # openssl dgst -sha256, of 43 times `v`
        "code_challenge_method": "S256",
        "acr_values": "eidas2 eidas1",
    }
    again = request_of(CLIENT, replace(BEGUN, is_step_up=True), "s" * 43)
    assert (again["prompt"], again["max_age"]) == ("login", "0")


URN = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"


def test_what_a_browser_carries_of_a_request_that_was_pushed() -> None:
    assert carried(CLIENT, Pushed(URN, 60)) == {"client_id": "ecluse", "request_uri": URN}
    assert len(carried(CLIENT, Pushed("u" * REQUEST_URI_CHARS_MAX, 1))["request_uri"]) == REQUEST_URI_CHARS_MAX


@pytest.mark.parametrize(
    ("request_uri", "expires_in"),
    [(URN, 0), (URN, -1), ("", 60), (URN + " x", 60), (URN + "\n", 60), ("é", 60), ("u" * 2049, 60)],
)
def test_what_names_no_pushed_request(request_uri: str, expires_in: int) -> None:
    with pytest.raises(ValueError, match=r"expired|request_uri"):
        carried(CLIENT, Pushed(request_uri, expires_in))


# What came back, what the provider promises, when: the code it is, or of the refusal.
CAME_BACK = [
    (BACK, True, NOW, "a-code"),
    (BACK, False, NOW + LOGIN_S_MAX - 1, "a-code"),
    (replace(BACK, iss=""), False, NOW, "a-code"),
    (replace(BACK, iss=""), True, NOW, "login_refused"),
    (replace(BACK, iss="https://evil.example"), False, NOW, "login_refused"),
    (replace(BACK, iss=f"{PSC}/"), True, NOW, "login_refused"),
    (BACK, True, NOW + LOGIN_S_MAX, "login_refused"),
    (BACK, True, NOW - 31, "login_refused"),
    (replace(BACK, code=""), True, NOW, "login_refused"),
    (replace(BACK, code="c" * 2049), True, NOW, "login_refused"),
    (replace(BACK, error="access_denied"), True, NOW, "login_declined"),
    (replace(BACK, error="access_denied", iss=""), True, NOW, "login_refused"),
]


@pytest.mark.parametrize(("back", "tells_iss", "now_ts", "expected"), CAME_BACK)
def test_what_came_back(back: Back, tells_iss: bool, now_ts: int, expected: str) -> None:
    try:
        found = check_back(back, BEGUN, PSC, tells_iss=tells_iss, now_ts=now_ts)
    except Refused as refused:
        found = refused.code if refused.detail == refused.refusal.title else "a hint"
    assert found == expected


@pytest.mark.parametrize(
    ("passed_s", "taken"), [(0, True), (LOGIN_S_MAX - 1, True), (LOGIN_S_MAX, False), (-30, True), (-31, False)]
)
def test_a_return_from_a_logout_is_taken_for_ten_minutes(passed_s: int, taken: bool) -> None:
    if taken:
        check_return(BEGUN, NOW + passed_s)
    else:
        with pytest.raises(Refused, match="logout_refused"):
            check_return(BEGUN, NOW + passed_s)


def test_a_logout_says_nothing_of_anybody() -> None:
    url = logout_url("https://psc.example/out?realm=x", CLIENT, f"{OWN}/portal/logged-out", "s" * 43)
    assert {name: value for name, [value] in parse_qs(urlsplit(url).query).items()} == {
        "realm": "x",
        "client_id": "ecluse",
        "post_logout_redirect_uri": f"{OWN}/portal/logged-out",
        "state": "s" * 43,
    }


@given(st.text(max_size=80))
def test_the_name_of_a_passkey_shows_and_stays_as_it_is_kept(text: str) -> None:
    name = named(text)
    assert len(name) <= NAME_CHARS_MAX
    assert name == named(name)
    assert name.isprintable()
    assert "  " not in name


def test_a_passkey_is_bound_to_a_login_and_not_to_the_provider_s_session() -> None:
    person = LoggedIn("rpps:1", "370000028", "medecin", "eidas2", NOW - 5, "s-1")
    made = begin(person, id_="ses_1", issuer=PSC, jkt="k" * 43, way="login", now_ts=NOW, session_s=14_400)
    assert (made.sid, person_of(made)) == (fingerprint("s-1"), replace(person, sid=""))
    assert session().sid == b""


def test_a_parameter_that_is_there_twice_is_not_there() -> None:
    assert came_back({"state": ["a", "b"], "code": ["c"], "iss": [PSC], "other": ["x"]}) == Back("", "c", PSC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A" * 43, True), ("A" * 42, False), ("A" * 44, False), ("B" * 43, False), ("é" * 43, False), ("", False)],
)
def test_thumbprints(text: str, expected: bool) -> None:
    assert is_thumbprint(text) is expected


def test_a_session_is_a_professional_s_account_and_no_more() -> None:
    account = account_of(session())
    assert (account.sub, account.software, account.session) == ("rpps:1", "portal", "ses_1")
    assert (account.acr, account.auth_ts, account.jkt, account.insurer) == ("eidas2", NOW - 5, "k" * 43, "")
    for scope in ("rights", "claims", "remittances"):
        permit(account, scope)
    for scope in ("feeds", "operate", "investigate", "exposure:own"):
        with pytest.raises(Refused, match="forbidden"):
            permit(account, scope)


@pytest.mark.parametrize(
    ("seen_s", "now_s", "over"),
    [
        (0, 0, False),
        (0, 1799, False),
        (0, 1800, True),
        (1700, 1800, False),
        (14_300, 14_399, False),
        (14_300, 14_400, True),  # used all the time
        (0, -61, True),
    ],
)
def test_how_long_a_session_holds(seen_s: int, now_s: int, over: bool) -> None:
    assert is_over(session(seen_ts=NOW + seen_s), 1800, NOW + now_s) is over


def test_when_a_session_ends_and_when_its_use_is_written_down() -> None:
    assert ends_ts(session(), 1800) == NOW + 1800
    assert ends_ts(session(seen_ts=NOW + 14_000), 1800) == NOW + 14_400
    assert [is_due(session(), NOW + passed_s) for passed_s in (TOUCH_S - 1, TOUCH_S)] == [False, True]


# Method, Origin, Sec-Fetch-Site, whether it is taken.
SITES = [
    ("GET", "", "", True),
    ("GET", "", "same-origin", True),
    ("GET", "", "none", False),  # typed, or of an extension: a page's call never is
    ("GET", "", "same-site", False),
    ("GET", "", "cross-site", False),
    ("POST", OWN, "same-origin", True),
    ("POST", f"{OWN}:443", "", True),
    ("POST", "", "same-origin", True),
    ("POST", "", "", False),
    ("DELETE", "", "", False),
    ("POST", "null", "same-origin", False),
    ("POST", "http://hub.example.fr", "", False),
    ("POST", "https://hub.example.fr.evil.example", "", False),
    ("POST", OWN, "cross-site", False),
]


@pytest.mark.parametrize(("method", "origin", "site", "taken"), SITES)
def test_whose_page_asks(method: str, origin: str, site: str, taken: bool) -> None:
    if taken:
        check_own_site(method, OWN, origin, site)
    else:
        with pytest.raises(Refused, match="cross_site"):
            check_own_site(method, OWN, origin, site)


@pytest.mark.parametrize(("site", "taken"), [("", True), ("none", False), ("same-origin", True), ("cross-site", False)])
def test_who_leads_to_the_logout(site: str, taken: bool) -> None:
    if taken:
        check_own_navigation(site)
    else:
        with pytest.raises(Refused, match="cross_site"):
            check_own_navigation(site)
