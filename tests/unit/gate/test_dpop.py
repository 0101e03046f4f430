"""Proofs: good ones, and a table of forged ones; any byte of a good one changed, too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey

from ecluse.gate.dpop import AGE_S_MAX, AHEAD_S_MAX, Proof, Secrets, nonce, nonce_state, normal, read_proof, same_url
from ecluse.gate.signature import base64url
from tests.tokens import compact, elliptic, proof, respelt, rsa

NOW = 1_800_000_000
URL = "https://hub.example.fr/v1/rights/checks"
TOKEN = "a.token.of-somebody"
HOLDER = elliptic()
ASKED: dict[str, Any] = {"method": "POST", "url": URL, "token": TOKEN, "now_ts": NOW}
PRIVATE = HOLDER.as_dict(private=True)
SMALL, BIG = rsa("ours", 1024), rsa("ours")


def read(*sent: str, key: Any = HOLDER, **changes: Any) -> Proof:
    return read_proof(sent, **{**ASKED, "jkt": key.thumbprint(), **changes})


def made(key: Any = HOLDER, **changes: Any) -> str:
    return proof(key, **{**ASKED, **changes})


@pytest.mark.parametrize("key", [HOLDER, OKPKey.generate_key("Ed25519"), BIG], ids=["EC", "OKP", "RSA"])
def test_a_good_proof_says_whose_it_is(key: Any) -> None:
    told = read(made(key, jti="one of a kind", nonce="n"), key=key)
    assert (told.jkt, told.jti, told.nonce, told.iat_ts) == (key.thumbprint(), "one of a kind", "n", NOW)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The key and the `jkt` of RFC 9449 §6.1, figures 4 and 8."""
    jwk = {"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
           "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}  # fmt: skip
    assert ECKey.import_key(jwk).thumbprint() == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_example_of_the_standard_is_read() -> None:
    """RFC 9449 §7.1, figure 13: a proof beside an access token."""
    text = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rsc"
        "EJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In"
        "19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZW"
        "N0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
        ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    )
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    url = "https://resource.example.org/protectedresource"
    jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    told = read_proof([text], method="GET", url=url, token=token, jkt=jkt, now_ts=1_562_262_618)
    assert told.jti == "e1j3V_bKic8-LAEB"


DEEP = b"[" * 1200 + b"]" * 1200  # deeper than the decoder goes, in a proof of the size that is looked at


def of(header: str, payload: bytes) -> str:
    """A proof of these bytes, signed by nobody."""
    return f"{header}.{base64url(payload)}.{base64url(b'x' * 64)}"


FORGED: dict[str, list[str]] = {
    "none": [],
    "two headers": [made(), made()],
    "two in one header": [f"{made()}, {made()}"],
    "empty": [""],
    "no JWT": ["proof"],
    "too long": [made(note="x" * 4096)],
    "signature cut": [made()[:-8]],
    "signature spelt otherwise": [respelt(made())],
    "unsigned": [compact({"typ": "dpop+jwt", "alg": "none", "jwk": HOLDER.as_dict(private=False)}, {}, None)],
    "typ of a token": [made(header={"typ": "at+jwt"})],
    "typ JWT": [made(header={"typ": "JWT"})],
    "no typ": [made(header={"typ": None})],
    "alg none": [made(header={"alg": "none"})],
    "alg HS256 with the public key": [made(header={"alg": "HS256"})],
    "symmetric jwk": [made(header={"jwk": {"kty": "oct", "k": "c2VjcmV0"}, "alg": "HS256"})],
    "symmetric jwk, asymmetric alg": [made(header={"jwk": {"kty": "oct", "k": "c2VjcmV0"}})],
    "alg of another key": [made(header={"alg": "Ed25519"})],
    "another's key": [made(elliptic())],
    "jwk with its private part": [made(header={"jwk": PRIVATE})],
    "jwk with only d added": [made(header={"jwk": {**HOLDER.as_dict(private=False), "d": ""}})],
    "jwk of another": [made(header={"jwk": elliptic().as_dict(private=False)})],
    "no jwk": [made(header={"jwk": None})],
    "jwk by address": [made(header={"jwk": None, "jku": "http://127.0.0.1:1/keys"})],
    "jwk as text": [made(header={"jwk": "key"})],
    "something critical": [made(header={"crit": ["exp"]})],
    "a header of brackets": [of(base64url(b'{"typ":"dpop+jwt","alg":"ES256","jwk":{"y":' + DEEP + b"}}"), b"{}")],
    "claims of brackets": [of(made().partition(".")[0], b'{"y":' + DEEP + b"}")],
    "another method": [made(htm="GET")],
    "method in small letters": [made(htm="post")],
    "no method": [made(htm=None)],
    "another address": [made(htu="https://hub.example.fr/v1/claims")],
    "another host": [made(htu="https://hub.example.com/v1/rights/checks")],
    "another scheme": [made(htu="http://hub.example.fr/v1/rights/checks")],
    "another port": [made(htu="https://hub.example.fr:8443/v1/rights/checks")],
    "a path below": [made(htu=URL + "/x")],
    "path in capitals": [made(htu="https://hub.example.fr/V1/rights/checks")],
    "somebody before the host": [made(htu="https://me@hub.example.fr/v1/rights/checks")],
    "no host": [made(htu="/v1/rights/checks")],
    "no address": [made(htu=None)],
    "a broken address": [made(htu="https://[::1/v1/rights/checks")],
    "too old": [made(iat=NOW - AGE_S_MAX - 1)],
    "too young": [made(iat=NOW + AHEAD_S_MAX + 1)],
    "time as text": [made(iat="now")],
    "no time": [made(iat=None)],
    "another token's": [made(ath="x" * 43)],
    "no token's": [made(ath=None)],
    "the token in the place of its hash": [made(ath=TOKEN)],
    "no name": [made(jti=None)],
    "a short name": [made(jti="1")],
    "an endless name": [made(jti="x" * 129)],
    "claims as a list": [
        compact({"typ": "dpop+jwt", "alg": "ES256", "jwk": HOLDER.as_dict(private=False)}, [], HOLDER)
    ],
}


P384 = ECKey.generate_key("P-384")
NOT_ALLOWED = {
    "RS256": (BIG, made(BIG, header={"alg": "RS256"}, algorithm="RS256")),
    "RSA too small": (SMALL, made(SMALL)),
    "curve not allowed": (P384, made(P384, algorithm="ES384")),
    "curve not allowed, alg allowed": (P384, made(P384, header={"alg": "ES256"}, algorithm="ES384")),
}


@pytest.mark.parametrize(("key", "sent"), NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_a_key_that_is_not_good_enough_proves_nothing_even_if_the_token_is_bound_to_it(key: Any, sent: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read(sent, key=key)


@pytest.mark.parametrize("sent", FORGED.values(), ids=FORGED.keys())
def test_forged_proofs_are_refused(sent: list[str]) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        read(*sent)


GOOD = {"EC": HOLDER, "OKP": OKPKey.generate_key("Ed25519")}
PROOFS = {name: made(key) for name, key in GOOD.items()}


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_any_byte_changed_is_refused(name: str, data: st.DataObject) -> None:
    good = PROOFS[name]
    assert read(good, key=GOOD[name])
    at = data.draw(st.integers(0, len(good) - 1))
    changed = data.draw(st.characters(max_codepoint=255).filter(lambda each: each != good[at]))
    with pytest.raises((ValueError, LookupError, TypeError)):
        read(good[:at] + changed + good[at + 1 :], key=GOOD[name])


SAME = [
    "https://hub.example.fr:443/v1/rights/checks",
    "HTTPS://HUB.example.FR/v1/rights/checks",
    "https://hub.example.fr/v1/rights/checks?a=1#b",
    "https://hub.example.fr/v1/%72ights/checks",
    "https://hub.example.fr/v1/x/../rights/./checks",
]


@pytest.mark.parametrize("url", SAME)
def test_the_same_address_may_be_written_otherwise(url: str) -> None:
    assert read(made(htu=url))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a", "https://a/", True),
        ("https://a/%7euser", "https://a/~user", True),
        ("https://a/%c3%a9", "https://a/%C3%A9", True),
        ("https://a/b%2Fc", "https://a/b/c", False),
        ("https://a/b%2fc", "https://a/b%2Fc", True),
        ("https://a/b/", "https://a/b", False),
        ("https://a/b/..", "https://a/", True),
        ("https://a/../../b", "https://a/b", True),
        ("https://a:0/", "https://a/", False),
        ("http://[::1]:80/", "http://[::1]/", True),
        ("https://a/100%", "https://a/100%", True),
        ("https://a/%4", "https://a/%4", True),
        ("https://a/%", "https://a/", False),
    ],
)
def test_addresses_are_compared_in_their_normal_form(one: str, other: str, same: bool) -> None:
    assert same_url(one, other) == same


@pytest.mark.parametrize(
    "url", ["", "/v1/claims", "//a/b", "mailto:a@b", "https://", "https://a@b/", "https://a:x/", "https://a:99999/"]
)
def test_what_is_no_servers_address_is_not_even_the_same_as_itself(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        same_url(url, url)


@given(st.text("ab/.%2EfF~", max_size=12))
def test_a_normal_form_is_normal(path: str) -> None:
    assert normal(normal(f"https://a/{path}")) == normal(f"https://a/{path}")


def test_a_nonce_is_for_one_key_and_two_periods() -> None:
    secrets = Secrets(b"now" * 8, b"before" * 4)
    keys = HOLDER.thumbprint(), elliptic().thumbprint()
    given_now, given_before = nonce(secrets.current, keys[0]), nonce(secrets.previous, keys[0])
    anothers = nonce(secrets.current, keys[1])
    for sent, state in (
        (given_now, "current"), (given_before, "previous"), (anothers, "wrong"), ("", "absent"), ("é", "wrong"),
        (nonce(b"long ago", keys[0]), "wrong"),
    ):  # fmt: skip
        assert nonce_state(read(made(nonce=sent)), secrets) == state
