"""What the provider says when it ended a session of its own: a logout token, read as OpenID Connect Back-Channel Logout 1.0 §2.6
says. Pure.

1. size; 2. `typ` is a logout token's or not said, nothing critical; 3. `iss`; 4. `aud`; 5. `iat` and `exp`, an hour apart at
most; 6. `events` has the one member; 7. no `nonce`, so that an ID token is none of these; 8. `jti`; 9. `sub`, of a scheme the
issuer may vouch for, or `sid`, or both; 10. `alg` allowed for the issuer, never `none`, and a signature by a key of the issuer.
That it was not taken before is asked of a store afterwards, so that only good ones take room there.

Encrypted ones are not read. Whatever is wrong has the same words.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from ecluse.gate.identity import CLOCK_SKEW_S, Issuer, KeyUnknown, check_signed, opened, vouched
from ecluse.gate.portal.login import Client, fingerprint
from ecluse.gate.signature import read_json
from ecluse.kernel.errors import refusal

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = {"logout+jwt", "application/logout+jwt", "jwt", ""}  # §2.4: recommended, and left out by many
LIFETIME_S_MAX = 3600  # §2.4 advises two minutes; one is remembered until it ends
ID_CHARS = range(1, 255 + 1)  # of `jti` and `sid`; providers use a UUID

LOGOUT_TOKEN_REFUSED = refusal(
    "logout_token_refused",
    400,
    "This logout token was not taken",
    fix="Send one that was signed for this hub in the last minutes, once; for the provider alone (docs/portal.md).",
)


class LoggedOut(msgspec.Struct, frozen=True):
    """Whose session ended at the provider: of an account (`sub`), of a login (`sid`), or of that login of that account; empty
    where it is not said. `jti`: the token, which may be sent again until `until_ts` (Unix seconds)."""

    sub: str
    sid: str
    jti: str
    until_ts: int

    @property
    def mark(self) -> bytes:
        """What is kept of the token."""
        return fingerprint(self.jti)

    @property
    def login(self) -> bytes:
        """What is kept of the login; empty when none is named."""
        return fingerprint(self.sid) if self.sid else b""


class _Claims(msgspec.Struct):
    iss: str
    aud: str | list[str]
    iat: int
    exp: int
    jti: str
    events: dict[str, Any]
    sub: str = ""
    sid: str = ""
    nonce: Any = UNSET


def verify_logout(token: str, issuer: Issuer, client: Client, now_ts: int) -> LoggedOut:
    """Whose session ended. Raises `logout_token_refused`; `KeyUnknown` when the issuer may have drawn a new key."""
    try:
        return _read(token, issuer, client, now_ts)
    except KeyUnknown:
        raise
    except (ValueError, LookupError, TypeError):
        raise LOGOUT_TOKEN_REFUSED() from None


def _read(token: str, issuer: Issuer, client: Client, now_ts: int) -> LoggedOut:
    signed, header = opened(token)  # 1, 2
    if header.typ.lower() not in TYPES:  # 2
        raise ValueError("type")
    claims = read_json(signed.payload, _Claims)
    if claims.iss != issuer.name:  # 3
        raise ValueError("issuer")
    _check_claims(claims, client, now_ts)  # 4 to 8
    _check_whose(claims, issuer)  # 9
    check_signed(signed, header, issuer, now_ts)  # 10
    return LoggedOut(claims.sub, claims.sid, claims.jti, claims.exp)


def _check_claims(claims: _Claims, client: Client, now_ts: int) -> None:
    if client.client_id not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):  # 4
        raise ValueError("audience")
    if not claims.iat - CLOCK_SKEW_S <= now_ts < claims.exp or claims.exp - claims.iat > LIFETIME_S_MAX:  # 5
        raise ValueError("time")
    if not isinstance(claims.events[EVENT], dict):  # 6
        raise TypeError("event")
    if claims.nonce is not UNSET:  # 7
        raise ValueError("nonce")
    if len(claims.jti) not in ID_CHARS:  # 8
        raise ValueError("jti")


def _check_whose(claims: _Claims, issuer: Issuer) -> None:
    if not (claims.sub or claims.sid) or (claims.sid and len(claims.sid) not in ID_CHARS):
        raise ValueError("nobody's")
    if claims.sub:
        vouched(claims.sub, issuer)
