"""Tokens: one good one, and a table of forged ones, each refused with the same words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from ecluse.gate.identity import LIFETIME_S_MAX, Account, Issuer, permit, verify
from ecluse.kernel.errors import Refused

NOW = 1_800_000_000
OURS = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
ELLIPTIC = ECKey.generate_key("P-256", parameters={"kid": "k2"})
STRANGER = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
PUBLIC = KeySet.import_key_set({"keys": [OURS.as_dict(private=False), ELLIPTIC.as_dict(private=False)]})
ISSUERS = {"https://psc.example": Issuer("https://psc.example", "ecluse", PUBLIC)}
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
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({**HEADER, **header})}.{part(CLAIMS)}."


def test_a_good_token_is_an_account() -> None:
    account = verify(signed(), ISSUERS, NOW)
    assert account == Account(
        "rpps:10000000001", "370000012", scopes=frozenset({"rights", "claims"}), expires_ts=NOW + 300
    )


def test_elliptic_keys_and_audience_lists_are_read_too() -> None:
    token = signed(ELLIPTIC, {"alg": "ES256", "kid": "k2"}, aud=["other", "ecluse"])
    assert verify(token, ISSUERS, NOW).sub == "rpps:10000000001"


FORGED = {
    "empty": "",
    "not three parts": "a.b",
    "not base64": "?.?.?",
    "too long": signed(note="x" * 5000),
    "alg none": unsigned(alg="none"),
    "alg None": unsigned(alg="None"),
    "no signature": unsigned(),
    "signature cut": signed()[:-8],
    "signed by a stranger": signed(STRANGER),
    "public key as HMAC secret": signed(
        OctKey.import_key(json.dumps(OURS.as_dict(private=False))), {"alg": "HS256", "kid": "k1"}
    ),
    "RSA key nobody registered": signed(
        RSAKey.generate_key(2048, parameters={"kid": "k1"}), {"alg": "PS256", "kid": "k1"}
    ),
    "kid of nobody": signed(OURS, {"kid": "k9"}),
    "kid as a path": signed(OURS, {"kid": "../../etc/passwd"}),
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
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_tokens_are_refused_without_a_hint(token: str) -> None:
    with pytest.raises(Refused) as refused:
        verify(token, ISSUERS, NOW)
    assert (refused.value.code, refused.value.detail) == ("unauthenticated", "No valid access token")


def test_an_insurers_own_account_is_that_insurer_and_no_other() -> None:
    assert verify(signed(sub="amc:0075123456"), ISSUERS, NOW).insurer == "0075123456"
    assert verify(signed(sub="amc:0075123456", insurer="0075999999"), ISSUERS, NOW).insurer == "0075123456"
    assert verify(signed(sub="user:1", insurer="0075999999"), ISSUERS, NOW).insurer == "0075999999"


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
