"""Who holds a token: which binding needs what, the level of the login, and how fresh it is."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ecluse.gate.certificate import of_pem, thumbprint
from ecluse.gate.challenge import Challenged, www_authenticate
from ecluse.gate.dpop import AHEAD_S_MAX, Secrets, nonce
from ecluse.gate.holder import Memory, Sent, check_level, check_proof, check_scheme, require_fresh
from ecluse.gate.identity import Account, Issuer
from tests.certificates import certificate
from tests.tokens import elliptic, proof

NOW = 1_800_000_000
URL = "https://hub.example.fr/v1/quotes"
ISSUER = Issuer("https://psc.example", "ecluse", ())
LOOSE = Issuer("https://psc.example", "ecluse", (), bearer=True)
HOLDER, THIEF = elliptic(), elliptic()
OWN, OTHERS = (certificate().certificate.decode() for _ in "12")
MEMORY = Memory(Secrets(b"now" * 8, b"before" * 4), nonce_required=True, since_ts=0)
BY_KEY = Account("rpps:1", jkt=HOLDER.thumbprint())
BY_CERTIFICATE = Account("rpps:1", certificate=of_pem(OWN))
BY_BOTH = Account("rpps:1", jkt=HOLDER.thumbprint(), certificate=of_pem(OWN))
BY_NOTHING = Account("rpps:1")


def sent(scheme: str, certificate: str = "", **changes: object) -> Sent:
    return Sent(scheme, "token", "POST", URL, certificate=quote(certificate, safe=""))


WAYS = [
    (BY_KEY, ISSUER, sent("dpop"), True),
    (BY_KEY, ISSUER, sent("bearer"), False),
    (BY_KEY, LOOSE, sent("bearer"), False),
    (BY_CERTIFICATE, ISSUER, sent("bearer", OWN), True),
    (BY_CERTIFICATE, ISSUER, sent("bearer", OTHERS), False),
    (BY_CERTIFICATE, ISSUER, sent("bearer", OWN + OTHERS), False),
    (BY_CERTIFICATE, ISSUER, sent("bearer", "certificate"), False),
    (BY_CERTIFICATE, ISSUER, sent("bearer"), False),
    (BY_CERTIFICATE, LOOSE, sent("bearer"), False),
    (BY_CERTIFICATE, ISSUER, sent("dpop", OWN), False),
    (BY_BOTH, ISSUER, sent("dpop", OWN), True),
    (BY_BOTH, ISSUER, sent("dpop", OTHERS), False),
    (BY_BOTH, ISSUER, sent("bearer", OWN), False),
    (BY_NOTHING, LOOSE, sent("bearer"), True),
    (BY_NOTHING, ISSUER, sent("bearer"), False),
    (BY_NOTHING, ISSUER, sent("bearer", OWN), False),
    (BY_NOTHING, LOOSE, sent("dpop"), False),
]


@pytest.mark.parametrize(("account", "issuer", "came", "good"), WAYS)
def test_a_token_comes_the_way_it_is_bound(account: Account, issuer: Issuer, came: Sent, good: bool) -> None:
    if good:
        check_scheme(account, came, issuer)
        return
    with pytest.raises(Challenged) as refused:
        check_scheme(account, came, issuer)
    assert (refused.value.code, refused.value.detail) == ("unauthenticated", "No valid access token")


def asked(key: object = HOLDER, **claims: object) -> Sent:
    made = proof(key, method="POST", url=URL, token="token", now_ts=NOW, **claims)  # type: ignore[arg-type]
    return Sent("dpop", "token", "POST", URL, proofs=(made,))


FRESH, OLD = (nonce(secret, HOLDER.thumbprint()) for secret in (MEMORY.secrets.current, MEMORY.secrets.previous))
OPTIONAL = Memory(MEMORY.secrets, nonce_required=False, since_ts=NOW - AHEAD_S_MAX - 1)
BEGUN = Memory(MEMORY.secrets, nonce_required=False, since_ts=NOW - AHEAD_S_MAX)


@pytest.mark.parametrize(
    ("memory", "came", "code", "told"),
    [
        (MEMORY, asked(nonce=FRESH), "", False),
        (MEMORY, asked(nonce=OLD), "", True),
        (MEMORY, asked(), "use_dpop_nonce", True),
        (MEMORY, asked(nonce="guessed"), "use_dpop_nonce", True),
        (MEMORY, asked(THIEF, nonce=FRESH), "invalid_dpop_proof", False),
        (MEMORY, asked(nonce=FRESH, ath="x" * 43), "invalid_dpop_proof", False),
        (MEMORY, asked(ath="x" * 43), "invalid_dpop_proof", False),
        (MEMORY, Sent("dpop", "token", "POST", URL), "invalid_dpop_proof", False),
        (OPTIONAL, asked(), "", True),
        (OPTIONAL, asked(nonce="guessed"), "use_dpop_nonce", True),
        (BEGUN, asked(), "use_dpop_nonce", True),  # it may have been used before the hub's memory begins
        (BEGUN, asked(nonce=FRESH), "", False),
    ],
    ids=lambda value: (
        value if value in {"", "use_dpop_nonce", "invalid_dpop_proof"} else "…"
    ),  # nonces are each process's own
)
def test_a_proof_is_of_the_tokens_key_and_has_a_nonce(memory: Memory, came: Sent, code: str, told: bool) -> None:
    if not code:
        assert check_proof(BY_KEY, came, memory, NOW)[1] == (FRESH if told else "")
        return
    with pytest.raises(Challenged) as refused:
        check_proof(BY_KEY, came, memory, NOW)
    assert (refused.value.code, refused.value.nonce) == (code, FRESH if told else "")
    assert www_authenticate(refused.value) == f'DPoP error="{code}", algs="EdDSA Ed25519 ES256 PS256"'
    assert "jwk" not in str(refused.value)


def test_the_level_of_the_login_is_the_issuers_setting() -> None:
    strict = Issuer("https://psc.example", "ecluse", (), acr_values=("eidas3", "eidas2"))
    for acr in ("eidas2", "eidas3"):
        check_level(Account("rpps:1", acr=acr), strict)
    check_level(Account("rpps:1", acr="whatever"), ISSUER)
    for acr in ("", "eidas1", "EIDAS3"):
        with pytest.raises(Challenged) as refused:
            check_level(Account("rpps:1", acr=acr, jkt="j" * 43), strict)
        assert refused.value.refusal.status == 401
        assert www_authenticate(refused.value).startswith(
            'DPoP error="insufficient_user_authentication", acr_values="eidas3 eidas2", algs='
        )


@pytest.mark.parametrize(
    ("auth_ts", "acr", "good"),
    [
        (NOW, "eidas3", True),
        (NOW - 330, "eidas3", True),
        (NOW - 331, "eidas3", False),
        (NOW + 31, "eidas3", False),
        (0, "eidas3", False),
        (NOW, "eidas1", False),
        (NOW, "", False),
    ],
)
def test_a_login_is_fresh_or_the_client_is_told_what_to_ask_for(auth_ts: int, acr: str, good: bool) -> None:
    account = Account("rpps:1", acr=acr, auth_ts=auth_ts)
    if good:
        require_fresh(account, NOW, max_age_s=300, acr_values=("eidas3",))
        return
    with pytest.raises(Challenged) as refused:
        require_fresh(account, NOW, max_age_s=300, acr_values=("eidas3",))
    assert www_authenticate(refused.value) == (
        'Bearer error="insufficient_user_authentication", acr_values="eidas3", max_age="300"'
    )


def test_a_certificate_is_read_as_nginx_and_as_rfc_9440_write_it() -> None:
    """RFC 9440 §2.1: base64 of the DER between colons."""
    import base64

    der = x509.load_pem_x509_certificate(OWN.encode()).public_bytes(Encoding.DER)
    assert thumbprint(quote(OWN)) == thumbprint(f":{base64.b64encode(der).decode()}:") == of_pem(OWN)


NO_CERTIFICATES = {
    "empty": "",
    "a word": "spoofed",
    "no bytes": "::",
    "no DER": ":c3Bvb2ZlZA==:",
    "no base64": ":!:",
    "cut": quote("-----BEGIN CERTIFICATE-----\n"),
    "no UTF-8": "%ff",
    "too long": quote(OWN) * 30,
    "two": quote(OWN + OTHERS),
}


@pytest.mark.parametrize("header", NO_CERTIFICATES.values(), ids=NO_CERTIFICATES.keys())
def test_what_is_no_certificate_has_no_thumbprint(header: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        thumbprint(header)
