"""Tokens: good ones, and a table of forged ones, each refused with the same words; any byte of a good one changed, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from ecluse.gate.challenge import www_authenticate
from ecluse.gate.identity import (
    LIFETIME_S_MAX,
    PROFESSIONAL,
    Account,
    Issuer,
    KeyUnknown,
    header_claims,
    permit,
    verify,
)
from ecluse.gate.signature import ALGORITHMS, base64url, public_key, unbase64
from ecluse.kernel.errors import Refused
from tests.tokens import compact, named, respelt, rsa

NOW = 1_800_000_000
OURS = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
ELLIPTIC = ECKey.generate_key("P-256", parameters={"kid": "k2"})
STRANGER = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
RSA = named(rsa("ours"), "k3")
KEYS = tuple(public_key(each.as_dict(private=False)) for each in (OURS, ELLIPTIC, RSA))
PSC = Issuer("https://psc.example", "ecluse", KEYS)
ISSUERS = {PSC.name: PSC}
JKT, X5T = "j" * 43, "x" * 43
CLAIMS = {
    "iss": "https://psc.example", "aud": "ecluse", "sub": "rpps:10000000001", "practice": "370000012",
    "scope": "rights claims", "iat": NOW - 10, "exp": NOW + 300,
}  # fmt: skip
HEADER = {"typ": "at+jwt", "alg": "Ed25519", "kid": "k1"}


def signed(key: Any = OURS, header: dict[str, Any] | None = None, **claims: Any) -> str:
    head = {**HEADER, **(header or {})}
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(head, merged, key, algorithms=[head["alg"]])


def unsigned(**header: Any) -> str:
    return compact({**HEADER, **header}, CLAIMS, None)


def test_a_good_token_is_an_account() -> None:
    account = verify(signed(), ISSUERS, NOW)
    assert account == Account(
        "rpps:10000000001",
        "370000012",
        scopes=frozenset({"rights", "claims"}),
        expires_ts=NOW + 300,
        issuer="https://psc.example",
    )


def test_a_token_says_how_the_person_logged_in_and_whom_it_is_bound_to() -> None:
    token = signed(acr="eidas2", auth_time=NOW - 60, cnf={"jkt": JKT, "x5t#S256": X5T})
    account = verify(token, ISSUERS, NOW)
    assert (account.acr, account.auth_ts, account.jkt, account.certificate) == ("eidas2", NOW - 60, JKT, X5T)
    assert verify(signed(**header_claims(account)), ISSUERS, NOW) == account


def test_elliptic_keys_and_audience_lists_are_read_too() -> None:
    token = signed(ELLIPTIC, {"alg": "ES256", "kid": "k2"}, aud=["other", "ecluse"])
    assert verify(token, ISSUERS, NOW).sub == "rpps:10000000001"
    assert verify(signed(RSA, {"alg": "PS256", "kid": "k3"}), ISSUERS, NOW).sub == "rpps:10000000001"


def test_a_token_that_names_no_key_is_tried_with_the_only_one_that_fits() -> None:
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt"}, CLAIMS, ELLIPTIC, algorithms=["ES256"])
    assert verify(token, ISSUERS, NOW).sub == "rpps:10000000001"
    twice = Issuer(PSC.name, PSC.audience, (*KEYS, public_key(ECKey.generate_key("P-256").as_dict(private=False))))
    with pytest.raises(Refused, match="unauthenticated"):
        verify(token, {PSC.name: twice}, NOW)


def test_rs256_is_for_issuers_that_say_so() -> None:
    token = signed(RSA, {"alg": "RS256", "kid": "k3"})
    with pytest.raises(Refused, match="unauthenticated"):
        verify(token, ISSUERS, NOW)
    only = Issuer(PSC.name, PSC.audience, KEYS, algorithms=("RS256",))
    assert verify(token, {PSC.name: only}, NOW).sub == "rpps:10000000001"
    with pytest.raises(Refused, match="unauthenticated"):
        verify(signed(), {PSC.name: only}, NOW)


A, B = "0075123456", "0075999999"
# `subjects` of an issuer, claims of a token, and the insurer of the account (None: the token is refused).
VOUCHED: list[tuple[tuple[str, ...], dict[str, str], str | None]] = [
    (("rpps",), {}, ""),
    (("rpps",), {"sub": f"amc:{A}"}, None),
    (("rpps",), {"insurer": A}, None),
    (("rpps",), {"sub": "rppsx:1"}, None),
    (("rpps:10000000001",), {}, ""),
    (("rpps:1000000000",), {}, None),
    (("rpps:1000000000*",), {}, ""),
    (("rpps:2*",), {}, None),
    ((f"amc:{A}",), {"sub": f"amc:{A}"}, A),
    ((f"amc:{A}",), {"sub": f"amc:{A}", "insurer": A}, A),
    ((f"amc:{A}",), {"sub": f"amc:{B}"}, None),
    ((f"amc:{A}",), {"sub": f"amc:{A}0"}, None),
    ((f"amc:{A}",), {"sub": "amc"}, None),
    (("amc:0075*",), {"sub": f"amc:{B}"}, B),
    (("amc:0076*",), {"sub": f"amc:{B}"}, None),
    (("amc",), {"sub": f"amc:{B}"}, B),
    (("amc",), {"sub": f"amc:{A}", "insurer": B}, None),
    (("rpps", f"amc:{A}"), {"insurer": A}, A),
    (("rpps", f"amc:{A}"), {"insurer": B}, None),
    (("rpps", f"amc:{A}"), {"insurer": "*"}, None),
    ((), {"sub": f"amc:{A}"}, A),
    ((), {"insurer": B}, B),
    ((), {"sub": f"amc:{A}", "insurer": B}, None),
]


@pytest.mark.parametrize(("subjects", "claims", "insurer"), VOUCHED)
def test_an_issuer_vouches_for_whom_its_setting_names(
    subjects: tuple[str, ...], claims: dict[str, str], insurer: str | None
) -> None:
    issuers = {PSC.name: Issuer(PSC.name, PSC.audience, KEYS, subjects=subjects)}
    if insurer is not None:
        assert verify(signed(**claims), issuers, NOW).insurer == insurer
        return
    with pytest.raises(Refused) as raised:
        verify(signed(**claims), issuers, NOW)
    assert (raised.value.code, raised.value.detail) == ("unauthenticated", raised.value.refusal.title)  # no hint


@pytest.mark.parametrize(
    ("scopes", "given"),
    [
        (None, {"rights", "operate", "openid"}),
        (PROFESSIONAL, {"rights"}),
        (frozenset({"operate", "investigate"}), {"operate"}),
        (frozenset[str](), set[str]()),
    ],
)
def test_an_issuer_gives_the_scopes_its_setting_names(scopes: frozenset[str] | None, given: set[str]) -> None:
    issuers = {PSC.name: Issuer(PSC.name, PSC.audience, KEYS, scopes=scopes)}
    assert verify(signed(scope="rights operate openid"), issuers, NOW).scopes == given


BROUGHT = STRANGER.as_dict(private=False)


def with_header(key: Any = STRANGER, **header: Any) -> str:
    """A token with a header as it stands, whatever is in it; of a stranger unless said otherwise."""
    return compact({**HEADER, **header}, CLAIMS, key)


def hmac_with(secret: bytes, kid: str) -> str:
    return compact({**HEADER, "alg": "HS256", "kid": kid}, CLAIMS, secret)


DEEP = b"[" * 1200 + b"]" * 1200  # deeper than the decoder goes, in a token of the size that is looked at


def of(header: bytes, payload: bytes) -> str:
    """A token of these bytes, signed by nobody."""
    return ".".join(base64url(each) for each in (header, payload, b"x" * 64))


FORGED = {
    "empty": "",
    "not three parts": "a.b",
    "not base64": "?.?.?",
    "too long": signed(note="x" * 5000),
    "alg none": unsigned(alg="none"),
    "alg None": unsigned(alg="None"),
    "alg nOnE": unsigned(alg="nOnE"),
    "no alg": unsigned(alg=None),
    "alg as a list": unsigned(alg=["Ed25519"]),
    "no signature": unsigned(),
    "signature cut": signed()[:-8],
    "signature spelt otherwise": respelt(signed()),
    "with padding": signed() + "==",
    "with a line's end": signed() + "\n",
    "four parts": signed() + ".x",
    "signed by a stranger": signed(STRANGER),
    "another's key in jwk": with_header(jwk=BROUGHT),
    "another's key at jku": with_header(jku="http://127.0.0.1:1/keys"),
    "another's key at x5u": with_header(x5u="http://127.0.0.1:1/keys.pem"),
    "another's key in x5c": with_header(x5c=["MIIB"]),
    "something critical": with_header(OURS, crit=["exp"], exp=1),
    "a header of brackets": of(b'{"alg":"EdDSA","typ":"at+jwt","crit":' + DEEP + b"}", b"{}"),
    "a header with brackets in what nobody reads": of(b'{"alg":"EdDSA","typ":"at+jwt","y":' + DEEP + b"}", b"{}"),
    "claims of brackets": of(b'{"alg":"EdDSA","typ":"at+jwt"}', b'{"y":' + DEEP + b"}"),
    "payload not encoded": with_header(OURS, crit=["b64"], b64=True),
    "public key as HMAC secret": hmac_with(json.dumps(OURS.as_dict(private=False)).encode(), "k1"),
    "public key as HMAC secret, in PEM": hmac_with(RSA.as_pem(private=False), "k3"),
    "public key as HMAC secret, bare": hmac_with(unbase64(OURS.as_dict(private=False)["x"]), "k1"),
    "elliptic key, another algorithm": signed(ELLIPTIC, {"alg": "ES256", "kid": "k1"}),
    "RSA, PKCS #1 v1.5": signed(RSA, {"alg": "RS256", "kid": "k3"}),
    "RSA key nobody registered": signed(named(rsa("a stranger's"), "k1"), {"alg": "PS256", "kid": "k1"}),
    "kid of nobody": signed(OURS, {"kid": "k9"}),
    "kid as a path": signed(OURS, {"kid": "../../etc/passwd"}),
    "kid as a device": signed(OURS, {"kid": "/dev/null"}),
    "kid as an address": signed(OURS, {"kid": "http://127.0.0.1:1/jwks.json"}),
    "kid as SQL": signed(OURS, {"kid": "k1' OR '1'='1"}),
    "kid as a command": signed(OURS, {"kid": "k1|/bin/id"}),
    "kid as a number": with_header(OURS, kid=1),
    "kid in capitals": signed(OURS, {"kid": "K1"}),
    "an ID token": signed(OURS, {"typ": "JWT"}),
    "no typ": jwt.encode({"alg": "Ed25519", "kid": "k1"}, CLAIMS, OURS, algorithms=["Ed25519"]),
    "unknown issuer": signed(iss="https://evil.example"),
    "no issuer": signed(iss=None),
    "wrong audience": signed(aud="another"),
    "audience list without us": signed(aud=["another", "still another"]),
    "expired": signed(exp=NOW - 1),
    "expiring this second": signed(exp=NOW),
    "not yet valid": signed(nbf=NOW + 120),
    "issued in the future": signed(iat=NOW + 120, exp=NOW + 400),
    "lives too long": signed(iat=NOW - 10, exp=NOW + LIFETIME_S_MAX),
    "no expiry": signed(exp=None),
    "expiry as text": signed(exp="tomorrow"),
    "no subject": signed(sub=None),
    "empty subject": signed(sub=""),
    "endless subject": signed(sub="x" * 129),
    "scope as a list": signed(scope=["rights"]),
    "bound to nothing": signed(cnf={}),
    "bound in a way not known": signed(cnf={"jwk": BROUGHT}),
    "bound to a short hash": signed(cnf={"jkt": "short"}),
    "bound to no text": signed(cnf={"jkt": None}),
    "login as text": signed(auth_time="now"),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_tokens_are_refused_without_a_hint(token: str) -> None:
    with pytest.raises(Refused) as refused:
        verify(token, ISSUERS, NOW)
    assert (refused.value.code, refused.value.detail) == ("unauthenticated", "No valid access token")
    algorithms = " ".join(ALGORITHMS)
    assert www_authenticate(refused.value) == (
        f'Bearer error="invalid_token", DPoP error="invalid_token", algs="{algorithms}"'
    )


GOOD = {name: signed(key, {"alg": name, "kid": key.kid})
        for name, key in (("Ed25519", OURS), ("ES256", ELLIPTIC), ("PS256", RSA))}  # fmt: skip


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_any_byte_changed_is_refused(name: str, data: st.DataObject) -> None:
    good = GOOD[name]
    assert verify(good, ISSUERS, NOW)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = data.draw(st.characters(max_codepoint=255).filter(lambda each: each != good[at]))
    with pytest.raises(Refused, match="unauthenticated"):
        verify(good[:at] + changed + good[at + 1 :], ISSUERS, NOW)


def test_only_an_unknown_key_or_keys_too_old_have_the_issuer_asked() -> None:
    with pytest.raises(KeyUnknown) as unknown:
        verify(signed(OURS, {"kid": "k9"}), ISSUERS, NOW)
    assert unknown.value.issuer == "https://psc.example"
    old = {PSC.name: Issuer(PSC.name, PSC.audience, KEYS, until_ts=NOW)}
    with pytest.raises(KeyUnknown):
        verify(signed(), old, NOW)
    assert verify(signed(), old, NOW - 1)
    for name, token in FORGED.items():
        with pytest.raises(Refused) as refused:
            verify(token, ISSUERS, NOW)
        assert isinstance(refused.value, KeyUnknown) == (name.startswith("kid") and "number" not in name), name


def test_a_scope_not_granted_is_forbidden() -> None:
    permit(verify(signed(), ISSUERS, NOW), "rights")
    with pytest.raises(Refused, match="forbidden"):
        permit(verify(signed(), ISSUERS, NOW), "operate")


@pytest.mark.parametrize(
    ("claims", "software", "session"),
    [
        ({}, "", ""),
        ({"client_id": "logiciel", "sid": "s1", "jti": "t1"}, "logiciel", "s1"),
        ({"jti": "t1"}, "", "t1"),
        ({"client_id": "x" * 99, "jti": "y" * 99}, "x" * 64, "y" * 64),
    ],
)
def test_a_token_says_which_software_and_which_login(claims: dict[str, str], software: str, session: str) -> None:
    account = verify(signed(**claims), ISSUERS, NOW)
    assert (account.software, account.session) == (software, session)
