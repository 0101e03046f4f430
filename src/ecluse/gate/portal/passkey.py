"""A passkey (WebAuthn level 2): bound in a session whose login at the provider has just been made, used instead of that login
for some weeks, then bound again. Pure; what an authenticator signs is verified by an engine.

What a passkey gives is the login it was bound at: the place, the profession, the level and the *time* of that login. So it never
counts as a fresh one: a step-up goes to the provider.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from ecluse.gate.portal.id_token import LoggedIn
from ecluse.gate.portal.login import Begun
from ecluse.gate.portal.session import Session
from ecluse.gate.signature import base64url
from ecluse.kernel.errors import refusal

BIND_S_MAX = 600  # since the login at the provider: who finds an open session binds nothing to it
CEREMONY_S_MAX = 300  # from a challenge to its answer: a finger, or a cable to be found (WebAuthn §15.1)
HANDLE_BYTES = 32
PER_ACCOUNT_MAX = 8  # a telephone, two computers, a spare key
NAME_CHARS_MAX = 40  # « poste du secrétariat »
CREDENTIAL_BYTES_MAX = 1023  # WebAuthn §5.1
DAY_S = 86_400
ALGORITHMS = (-8, -7, -257)  # EdDSA, ES256, and RS256 for Windows' own

PASSKEY_REFUSED = refusal(
    "passkey_refused",
    403,
    "This passkey was not taken",
    fix="Log in by the identity provider; a passkey that lapsed or was removed is bound again then.",
)
PASSKEYS_MANY = refusal(
    "passkeys_many", 409, "There are too many passkeys", fix="Remove one that is not used any more."
)


class Passkey(msgspec.Struct, frozen=True):
    """A passkey. `id`: what it is called here; `credential`, `public_key` (COSE): its own; `count`: how often it signed, if it
    counts; `handle`: what it knows its account by. Times in Unix seconds; `until_ts`: when it lapses. `name`: what its
    owner calls it, or nothing; `kind`: `device` when it can never leave one device, `synced` when it may be copied to others
    (empty: not known)."""

    id: str
    credential: bytes
    public_key: bytes
    count: int
    handle: bytes
    person: LoggedIn
    issuer: str
    bound_ts: int
    until_ts: int
    used_ts: int
    name: str = ""
    kind: str = ""


class Answered(msgspec.Struct, frozen=True):
    """What an authenticator signed, once verified: which credential, and its count (and key and kind, of a new one)."""

    credential: bytes
    count: int
    public_key: bytes = b""
    kind: str = ""


class Site(msgspec.Struct, frozen=True):
    """The hub as authenticators know it (WebAuthn: relying party): its host name, and the origin pages have."""

    rp_id: str
    origin: str


def site_of(origin: str) -> Site:
    """The site at an origin, as browsers write it: without a default port."""
    parts = urlsplit(origin)
    port = parts.port if parts.port not in (None, {"https": 443, "http": 80}.get(parts.scheme)) else None
    host = parts.hostname or ""
    return Site(host, f"{parts.scheme}://{host}" + (f":{port}" if port else ""))


def named(text: str) -> str:
    """What an owner calls a passkey, as it is kept: in one line, only what shows, not for ever."""
    shown = "".join(each for each in text if each.isprintable() or each.isspace())
    return " ".join(shown.split())[:NAME_CHARS_MAX].strip()


def person_of(session: Session) -> LoggedIn:
    """Who is logged in, as a passkey stands for them: not as a session of the provider's."""
    return LoggedIn(session.sub, session.practice, session.profession, session.acr, session.auth_ts)


def is_lapsed(passkey: Passkey, now_ts: int) -> bool:
    """Whether the login it was bound at is too long ago."""
    return now_ts >= passkey.until_ts or now_ts < passkey.bound_ts - CEREMONY_S_MAX


def is_late(begun: Begun, now_ts: int) -> bool:
    """Whether an answer comes too late for its challenge."""
    return not -1 <= now_ts - begun.begun_ts < CEREMONY_S_MAX


def creation_options(site: Site, sub: str, handle: bytes, challenge: str, own: list[bytes]) -> dict[str, Any]:
    """What a page gives to `navigator.credentials.create`: discoverable, the person verified, no attestation (§5.4)."""
    return {
        "rp": {"id": site.rp_id, "name": "Écluse"},
        "user": {"id": base64url(handle), "name": sub, "displayName": sub},
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": CEREMONY_S_MAX * 1000,
        "excludeCredentials": [{"type": "public-key", "id": base64url(each)} for each in own],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request_options(site: Site, challenge: str) -> dict[str, Any]:
    """What a page gives to `navigator.credentials.get`: whichever passkey the person chooses (§5.5)."""
    return {
        "challenge": challenge,
        "timeout": CEREMONY_S_MAX * 1000,
        "rpId": site.rp_id,
        "allowCredentials": [],
        "userVerification": "required",
    }
