"""Who asks: an access token (JWT, RFC 9068) of a trusted issuer becomes an `Account`, or is refused without a hint.

Steps of `verify` (RFC 9068 §4, RFC 8725): 1. size; 2. header: `typ` and no critical extension; 3. issuer known; 4. audience,
expiry and not-before; 5. `alg` allowed for that issuer, a signature by one of its keys; 6. the claims an account is made of.
Whether the sender is whom the token was given to is for `holder.py`. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType, field

from ecluse.gate.challenge import INVALID_TOKEN, UNAUTHENTICATED, Challenged
from ecluse.gate.signature import ALGORITHMS, PublicKey, Signed, check_signature, read_json, take_apart, unbase64
from ecluse.kernel.errors import refusal

TYPES = {"at+jwt", "application/at+jwt"}  # RFC 9068 §2.1: an ID token is not an access token
TOKEN_BYTES_MAX = 4096  # a token of ours is under 1 KiB; more is an attempt to make us work
INSURER_SCHEME = "amc"  # `amc:0075123456` is that insurer's own account
PROFESSIONAL = frozenset({"rights", "claims", "remittances"})  # scopes; never an insurer's or an operator's
CLOCK_SKEW_S = 30  # between an issuer's clock and ours
TOLD_CHARS_MAX = 64  # what a token says of its software and session goes into every entry of the journal
LIFETIME_S_MAX = 24 * 3600  # a longer-lived token is a password; the development issuer's are at this limit
SUB_CHARS_MAX = 128  # OpenID Connect Core §2 allows 255; `rpps:` and a number are 16
HASH_CHARS = 43  # SHA-256 as base64url: both confirmations are one (RFC 9449 §6.1, RFC 8705 §3.1)

FORBIDDEN = refusal("forbidden", 403, "This token may not do this", fix="Ask the issuer for the scope this call needs.")


class KeyUnknown(Challenged):
    """A refusal like any bad token's; the caller may ask `issuer` for its keys again, and then verify once more."""

    def __init__(self, issuer: str) -> None:
        super().__init__(UNAUTHENTICATED, INVALID_TOKEN)
        self.issuer = issuer


class Account(msgspec.Struct, frozen=True):
    """An authenticated asker. `practice`: the place (FINESS or SIRET); `insurer`: of an insurer's own account (`amc:…`).

    `software`: the client the token was given to; `session`: what the issuer calls this login, or else this token.
    `acr`: how sure the issuer is of the login; `auth_ts`: when the person last proved who they are (Unix seconds, 0: not said).
    `jkt`, `certificate`: whom the token is bound to (thumbprint of a DPoP key, of a certificate); empty: to nobody.
    """

    sub: str
    practice: str = ""
    profession: str = ""
    insurer: str = ""
    scopes: frozenset[str] = frozenset()
    expires_ts: int = 0
    software: str = ""
    session: str = ""
    issuer: str = ""
    acr: str = ""
    auth_ts: int = 0
    jkt: str = ""
    certificate: str = ""


class Issuer(msgspec.Struct, frozen=True):
    """A trusted issuer: its name (`iss`), the audience its tokens must carry, and its public keys.

    `algorithms`: what it may sign with; `acr_values`: the levels of login that are enough, the preferred first (none: any);
    `bearer`: whether a token bound to nobody is taken; `subjects`: whom it may vouch for, by scheme (`rpps`), account
    (`amc:0075123456`) or beginning of accounts (`amc:0075*`; none: anybody); `scopes`: those it may give (None: any);
    `until_ts`: when its keys are too old to be believed (Unix seconds; 0: never).
    """

    name: str
    audience: str
    keys: tuple[PublicKey, ...]
    algorithms: tuple[str, ...] = ALGORITHMS
    acr_values: tuple[str, ...] = ()
    bearer: bool = False
    subjects: tuple[str, ...] = ()
    scopes: frozenset[str] | None = None
    until_ts: int = 0


class Header(msgspec.Struct):
    """What the signed header of an issuer's token may say; nothing critical is understood (RFC 7515 §4.1.11)."""

    alg: str
    typ: str = ""
    kid: str = ""
    crit: Any = UNSET


class _Confirmation(msgspec.Struct):
    jkt: str = ""
    certificate: str = field(default="", name="x5t#S256")


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int = 0
    nbf: int = 0
    practice: str = ""
    profession: str = ""
    insurer: str = ""
    scope: str = ""
    client_id: str = ""
    sid: str = ""
    jti: str = ""
    acr: str = ""
    auth_time: int = 0
    cnf: _Confirmation | UnsetType = UNSET


def verify(token: str, issuers: Mapping[str, Issuer], now_ts: int) -> Account:
    """The account of a valid token at `now_ts` (Unix seconds). Raises `unauthenticated`, always with the same words, as
    `KeyUnknown` when the issuer may have drawn a new key."""
    try:
        return _account(token, issuers, now_ts)
    except (ValueError, LookupError, TypeError):
        raise Challenged(UNAUTHENTICATED, INVALID_TOKEN) from None


def _account(token: str, issuers: Mapping[str, Issuer], now_ts: int) -> Account:
    signed, header = opened(token)  # 1, 2
    if header.typ.lower() not in TYPES:  # 2
        raise ValueError("type")
    claims = read_json(signed.payload, _Claims)
    issuer = issuers[claims.iss]  # 3: read before it is proved, only to choose the key that proves it
    _check_times(claims, issuer, now_ts)  # 4
    check_signed(signed, header, issuer, now_ts)  # 5
    return _of(claims, issuer)  # 6


def opened(token: str) -> tuple[Signed, Header]:
    """What an issuer signed, not yet proved. Raises `ValueError`."""
    if len(token) > TOKEN_BYTES_MAX:
        raise ValueError("too long")
    signed = take_apart(token)
    header = read_json(unbase64(signed.header), Header)
    if header.crit is not UNSET:
        raise ValueError("critical")
    return signed, header


def check_signed(signed: Signed, header: Header, issuer: Issuer, now_ts: int) -> None:
    """Raise `ValueError` unless the issuer signed it, with an algorithm that it may use; `KeyUnknown` where it may have drawn
    a new key."""
    if header.alg not in issuer.algorithms:
        raise ValueError("algorithm")
    check_signature(signed, header.alg, _signing_key(issuer, header.alg, header.kid, now_ts))


def _signing_key(issuer: Issuer, algorithm: str, kid: str, now_ts: int) -> PublicKey:
    """The issuer's key of that name; of a token that names none, the only one that fits. `kid` is compared, never looked up
    anywhere; keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are not read. Raises `KeyUnknown`, `ValueError`."""
    if is_outdated(issuer, now_ts):
        raise KeyUnknown(issuer.name)
    if not kid:
        [only] = [each for each in issuer.keys if algorithm in each.algorithms]
        return only
    found = next((each for each in issuer.keys if each.kid == kid), None)
    if found is None:
        raise KeyUnknown(issuer.name)
    return found


def is_outdated(issuer: Issuer, now_ts: int) -> bool:
    """Whether the keys of an issuer are too old to be believed, for tokens that were verified before too."""
    return 0 < issuer.until_ts <= now_ts


def _check_times(claims: _Claims, issuer: Issuer, now_ts: int) -> None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if issuer.audience not in audiences:
        raise ValueError("audience")
    if not claims.nbf - CLOCK_SKEW_S <= now_ts < claims.exp:
        raise ValueError("time")
    if claims.iat > now_ts + CLOCK_SKEW_S or claims.exp - max(claims.iat, claims.nbf) > LIFETIME_S_MAX:
        raise ValueError("lifetime")


def vouched(sub: str, issuer: Issuer) -> tuple[str, str]:
    """The scheme of an account and what stands behind it. Raises `ValueError` for one this issuer may not vouch for."""
    if not sub or len(sub) > SUB_CHARS_MAX:
        raise ValueError("sub")
    if not may_vouch(issuer, sub):
        raise ValueError("somebody else's account")
    scheme, _, number = sub.partition(":")
    return scheme, number


def may_vouch(issuer: Issuer, sub: str) -> bool:
    """Whether an account is among those of an issuer's setting."""
    return not issuer.subjects or any(_is_of(sub, each) for each in issuer.subjects)


def _is_of(sub: str, named: str) -> bool:
    """Whether a setting's scheme, account or beginning of accounts is this account's."""
    if named.endswith("*"):
        return sub.startswith(named[:-1])
    return named in (sub, sub.partition(":")[0])


def given(scopes: frozenset[str], issuer: Issuer) -> frozenset[str]:
    """The scopes that an issuer may give, of these: its tokens may name those of other services too."""
    return scopes if issuer.scopes is None else scopes & issuer.scopes


def _insurer(scheme: str, number: str, claimed: str, issuer: Issuer) -> str:
    """The insurer an account is of, if any: one whose own account this issuer may vouch for. Raises `ValueError`."""
    if scheme != INSURER_SCHEME:
        return claimed and vouched(f"{INSURER_SCHEME}:{claimed}", issuer)[1]
    if claimed not in ("", number):
        raise ValueError("another insurer's account")
    return number


def _of(claims: _Claims, issuer: Issuer) -> Account:
    scheme, number = vouched(claims.sub, issuer)
    jkt, certificate = _bound_to(claims.cnf)
    return Account(
        claims.sub,
        claims.practice,
        claims.profession,
        insurer=_insurer(scheme, number, claims.insurer, issuer),
        scopes=given(frozenset(claims.scope.split()), issuer),
        expires_ts=claims.exp,
        software=claims.client_id[:TOLD_CHARS_MAX],
        session=(claims.sid or claims.jti)[:TOLD_CHARS_MAX],
        issuer=issuer.name,
        acr=claims.acr,
        auth_ts=claims.auth_time,
        jkt=jkt,
        certificate=certificate,
    )


def _bound_to(confirmation: _Confirmation | UnsetType) -> tuple[str, str]:
    """Thumbprints of the key and of the certificate. A binding that is not understood cannot be checked: refused."""
    if isinstance(confirmation, UnsetType):
        return "", ""
    bound = confirmation.jkt, confirmation.certificate
    if {len(each) for each in bound if each} != {HASH_CHARS}:
        raise ValueError("cnf")
    return bound


def permit(account: Account, scope: str) -> None:
    """Raise `forbidden` unless the account's token carries `scope`."""
    if scope not in account.scopes:
        raise FORBIDDEN(f"this call needs the scope {scope!r}")


def header_claims(account: Account) -> dict[str, Any]:
    """The claims of a token that would make this account again: for the development issuer."""
    claims: dict[str, Any] = {
        "sub": account.sub,
        "practice": account.practice,
        "profession": account.profession,
        "insurer": account.insurer,
        "client_id": account.software,
        "sid": account.session,
        "acr": account.acr,
        "auth_time": account.auth_ts,
        "cnf": {name: value for name, value in (("jkt", account.jkt), ("x5t#S256", account.certificate)) if value},
    }
    return {**{name: value for name, value in claims.items() if value}, "scope": " ".join(sorted(account.scopes))}
