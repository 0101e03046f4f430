"""Who logged in: the ID token of one login, read as OpenID Connect Core 1.0 §3.1.3.7 says, with nothing left to the provider.

1. size; 2. `typ` is not an access token's, nothing critical; 3. `iss`; 4. `aud` and `azp`; 5. times; 6. `nonce` of this login;
7. a login made for this one, when a fresh one was asked; 8. `alg` allowed for the issuer, never `none`, never a shared secret,
and a signature by a key of the issuer; 9. an account the issuer may vouch for, of a person; 10. the level of the login.

`at_hash` is not read: the access token that comes with it is thrown away. What comes over TLS from the provider could go without
8; it does not.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

import msgspec

from ecluse.gate.holder import check_level
from ecluse.gate.identity import (
    CLOCK_SKEW_S,
    INSURER_SCHEME,
    LIFETIME_S_MAX,
    TYPES,
    Account,
    Issuer,
    KeyUnknown,
    check_signed,
    opened,
    vouched,
)
from ecluse.gate.portal.login import Begun, Client
from ecluse.gate.portal.refusals import LOGIN_REFUSED
from ecluse.gate.signature import Signed, read_json

PLACE_CHARS_MAX = 32  # a SIRET has 14
PROFESSION_CHARS_MAX = 64


class Names(msgspec.Struct, frozen=True):
    """The claims that say where the person practises, and as what; a broker's own names."""

    practice: str
    profession: str


class LoggedIn(msgspec.Struct, frozen=True):
    """A person, as the provider vouches for them. `auth_ts`: when they proved who they are (Unix seconds; 0: not said); `sid`:
    what the provider calls its own session (empty: not said)."""

    sub: str
    practice: str
    profession: str
    acr: str
    auth_ts: int
    sid: str = ""


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int
    nonce: str
    azp: str = ""
    acr: str = ""
    auth_time: int = 0
    sid: str = ""


def verify_login(token: str, issuer: Issuer, client: Client, begun: Begun, names: Names, now_ts: int) -> LoggedIn:
    """Who logged in. Raises `login_refused`; `KeyUnknown` when the issuer may have drawn a new key;
    `insufficient_user_authentication` when all else is right."""
    try:
        found = _read(token, issuer, client, begun, names, now_ts)
    except KeyUnknown:
        raise
    except (ValueError, LookupError, TypeError):
        raise LOGIN_REFUSED() from None
    enough = msgspec.structs.replace(issuer, acr_values=client.acr_values)
    check_level(Account(found.sub, acr=found.acr, jkt=begun.jkt), enough)  # 10
    return found


def _read(token: str, issuer: Issuer, client: Client, begun: Begun, names: Names, now_ts: int) -> LoggedIn:
    signed, header = opened(token)  # 1, 2
    if header.typ.lower() in TYPES:  # 2
        raise ValueError("type")
    claims = read_json(signed.payload, _Claims)
    if claims.iss != issuer.name:  # 3
        raise ValueError("issuer")
    _check_audience(claims, client)  # 4
    _check_times(claims, begun, now_ts)  # 5, 7
    if not compare_digest(claims.nonce.encode(), begun.nonce.encode()):  # 6
        raise ValueError("nonce")
    check_signed(signed, header, issuer, now_ts)  # 8
    if vouched(claims.sub, issuer)[0] == INSURER_SCHEME:  # 9: a machine with a certificate, never a browser
        raise ValueError("an insurer's")
    practice, profession = _place(signed, names)
    return LoggedIn(claims.sub, practice, profession, claims.acr, claims.auth_time, claims.sid)


def _check_audience(claims: _Claims, client: Client) -> None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if client.client_id not in audiences or (claims.azp or client.client_id) != client.client_id:
        raise ValueError("audience")
    if len(audiences) > 1 and not claims.azp:
        raise ValueError("audiences, and nobody it was made for")


def _check_times(claims: _Claims, begun: Begun, now_ts: int) -> None:
    if not claims.iat - CLOCK_SKEW_S <= now_ts < claims.exp or claims.exp - claims.iat > LIFETIME_S_MAX:
        raise ValueError("time")
    if claims.iat < begun.begun_ts - CLOCK_SKEW_S:  # made before this login began
        raise ValueError("another login's")
    if not 0 <= claims.auth_time <= now_ts + CLOCK_SKEW_S:
        raise ValueError("auth_time")
    if begun.is_step_up and claims.auth_time < begun.begun_ts - CLOCK_SKEW_S:
        raise ValueError("not a fresh login")


def _place(signed: Signed, names: Names) -> tuple[str, str]:
    """Where and as what. A claim that is not there is empty, as in an access token; one that is no text is refused."""
    told = read_json(signed.payload, dict[str, Any])
    practice, profession = told.get(names.practice, ""), told.get(names.profession, "")
    if not (isinstance(practice, str) and isinstance(profession, str)):
        raise TypeError("a claim that is no text")
    if len(practice) > PLACE_CHARS_MAX or len(profession) > PROFESSION_CHARS_MAX:
        raise ValueError("a claim that is too long")
    return practice, profession
