"""`/portal/passkeys`: a passkey is bound in a session whose login has just been made, and used to log in until it lapses.

Bodies are what `navigator.credentials` gives, as JSON (WebAuthn level 3 §5.1.8 writes it so): base64url where there are bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from ecluse.app.portal.passkeys import BoundPasskeys
from ecluse.doors.http.portal import (
    PRIVATE,
    Browser,
    Ended,
    Portal,
    ThePortal,
    ath,
    login_cookie,
    session_cookie,
)
from ecluse.doors.http.who import cookie, headers_of
from ecluse.gate.portal.passkey import CEREMONY_S_MAX, NAME_CHARS_MAX, PASSKEY_REFUSED, Passkey, Site, site_of
from ecluse.gate.portal.session import LOGIN_COOKIE, SESSION_COOKIE
from ecluse.kernel.days import S_US, instant

Id = Annotated[str, Meta(max_length=1364)]  # 1023 bytes


class JktSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key that the session will be bound to: its RFC 7638 thumbprint."""

    jkt: Annotated[str, Meta(max_length=43)]


class CreatedSent(msgspec.Struct, frozen=True):
    """What a new credential's authenticator answered; without attestation that is some hundred bytes."""

    clientDataJSON: Annotated[str, Meta(max_length=4096)]  # noqa: N815 - WebAuthn's names
    attestationObject: Annotated[str, Meta(max_length=16_384)]  # noqa: N815


class SignedSent(msgspec.Struct, frozen=True):
    """What an authenticator signed."""

    clientDataJSON: Annotated[str, Meta(max_length=4096)]  # noqa: N815
    authenticatorData: Annotated[str, Meta(max_length=4096)]  # noqa: N815
    signature: Annotated[str, Meta(max_length=2048)]
    userHandle: Annotated[str, Meta(max_length=128)]  # noqa: N815


class NewCredential(msgspec.Struct, frozen=True):
    """A new credential. `name`: what its owner calls it, to know it again in the list."""

    id: Id
    rawId: Id  # noqa: N815
    type: Literal["public-key"]
    response: CreatedSent
    name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""


class Credential(msgspec.Struct, frozen=True):
    """A credential that was used."""

    id: Id
    rawId: Id  # noqa: N815
    type: Literal["public-key"]
    response: SignedSent


class PasskeyTold(msgspec.Struct, frozen=True):
    """A passkey of one's own. `until`: when it lapses; `used_at`: when it last opened a session; `kind`: `device` when it can
    never leave one device, `synced` when it may be copied to others, empty when that is not known."""

    id: str
    name: str
    kind: str
    bound_at: datetime
    until: datetime
    used_at: datetime | None


class AthTold(msgspec.Struct, frozen=True):
    """What the page's proofs name its new session by."""

    ath: str


@post("/portal/passkeys/options", status_code=200, summary="What a new passkey must be like", tags=["Portal"])
async def post_options(request: Browser, portal: ThePortal) -> Response[dict[str, Any]]:
    """For `navigator.credentials.create`. Only in a session whose login at the provider is at most ten minutes old."""
    session, token = portal.door.session(request.scope)
    return Response(await _passkeys(portal).offer(session, token, _site(portal, request)), headers=PRIVATE)


@post("/portal/passkeys", status_code=201, summary="Bind a passkey to one's account", tags=["Portal"])
async def post_passkey(data: JSONBody[NewCredential], request: Browser, portal: ThePortal) -> Response[PasskeyTold]:
    """What `navigator.credentials.create` gave."""
    session, token = portal.door.session(request.scope)
    sent = msgspec.to_builtins(data)
    bound = await _passkeys(portal).bind(session, token, sent, _site(portal, request), data.name)
    return Response(_told(bound), status_code=201, headers=PRIVATE)


@get("/portal/passkeys", summary="One's own passkeys", tags=["Portal"])
async def get_passkeys(request: Browser, portal: ThePortal) -> Response[list[PasskeyTold]]:
    """The oldest first."""
    session, _ = portal.door.session(request.scope)
    return Response([_told(each) for each in _passkeys(portal).of(session)], headers=PRIVATE)


@delete("/portal/passkeys/{passkey_id:str}", status_code=200, summary="Remove a passkey of one's own", tags=["Portal"])
async def delete_passkey(passkey_id: str, request: Browser, portal: ThePortal) -> Response[Ended]:
    """It opens nothing any more; sessions it opened go on until they end."""
    session, _ = portal.door.session(request.scope)
    await _passkeys(portal).remove(session, passkey_id)
    return Response(Ended(1), headers=PRIVATE)


@post("/portal/passkeys/challenge", status_code=200, summary="What a passkey is asked", tags=["Portal"])
async def post_challenge(data: JSONBody[JktSent], request: Browser, portal: ThePortal) -> Response[dict[str, Any]]:
    """For `navigator.credentials.get`."""
    portal.door.check_own(request.scope)
    options, browser = await _passkeys(portal).ask(data.jkt, _site(portal, request))
    return Response(options, headers=PRIVATE, cookies=[login_cookie(browser, CEREMONY_S_MAX)])


@post("/portal/passkeys/session", status_code=201, summary="Log in by a passkey", tags=["Portal"])
async def post_session(data: JSONBody[Credential], request: Browser, portal: ThePortal) -> Response[AthTold]:
    """What `navigator.credentials.get` gave. The session this browser had ends."""
    portal.door.check_own(request.scope)
    headers = headers_of(request.scope)
    sent = msgspec.to_builtins(data)
    opened = await _passkeys(portal).use(sent, cookie(headers, LOGIN_COOKIE), _site(portal, request))
    portal.sessions.end(cookie(headers, SESSION_COOKIE))
    cookies = [login_cookie("", 0), session_cookie(opened.token)]
    return Response(AthTold(ath(opened.token)), status_code=201, headers=PRIVATE, cookies=cookies)


def _passkeys(portal: Portal) -> BoundPasskeys:
    if portal.passkeys is None:
        raise PASSKEY_REFUSED()
    return portal.passkeys


def _site(portal: Portal, request: Browser) -> Site:
    return site_of(portal.door.origin(request.scope))


def _told(passkey: Passkey) -> PasskeyTold:
    used = instant(passkey.used_ts * S_US) if passkey.used_ts else None
    bound, until = instant(passkey.bound_ts * S_US), instant(passkey.until_ts * S_US)
    return PasskeyTold(passkey.id, passkey.name, passkey.kind, bound, until, used)


HANDLERS = [post_options, post_passkey, get_passkeys, delete_passkey, post_challenge, post_session]
