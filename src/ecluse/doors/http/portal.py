"""`/portal`: a browser logs in by the OpenID provider of the settings, and has a session. Where there is no portal, there is
nothing here.

`POST /portal/login` tells the hub's own page where to go, `GET /portal/callback` takes the browser back. It is led on to
`/portal/`, whose page finds in the address' fragment what it needs for its proofs, or a refusal's code; others get a problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qs

import litestar
import msgspec
from litestar import Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta

from ecluse.app.portal.login import Logins
from ecluse.app.portal.logout import Logouts
from ecluse.app.portal.passkeys import BoundPasskeys
from ecluse.app.portal.provider_logout import ProviderLogouts
from ecluse.app.portal.sessions import OpenSessions
from ecluse.doors.http.problems import answer
from ecluse.doors.http.who import Door, cookie, headers_of, only
from ecluse.gate.portal.login import LOGIN_S_MAX, SECRET_CHARS, came_back
from ecluse.gate.portal.refusals import LOGIN_REFUSED, PROVIDER_BUSY
from ecluse.gate.portal.session import LOGIN_COOKIE, SESSION_COOKIE, Session
from ecluse.gate.signature import base64url
from ecluse.kernel.days import S_US, instant
from ecluse.kernel.errors import Refused

PAGE = "/portal/"
CALLBACK = "/portal/callback"
FIELDS_MAX = 16  # a provider sends four
AGAIN_S = 3  # a browser that found no place at the provider comes back by itself
AGAIN = """<!doctype html>
<html lang="fr"><meta charset="utf-8"><title>Écluse</title>
<p>Le fournisseur d’identité est très demandé. Votre identification attend :
cette page réessaie d’elle-même toutes les trois secondes.</p>
"""
PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

Browser = litestar.Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Portal:
    """What the portal's calls need of one worker. `passkeys`: None where the settings want none."""

    door: Door
    logins: Logins
    logouts: Logouts
    provider_logouts: ProviderLogouts
    sessions: OpenSessions
    passkeys: BoundPasskeys | None = None


ThePortal = SkipValidation[Portal]


class LoginSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`jkt`: the key that the session will be bound to, its RFC 7638 thumbprint; `step_up`: log in anew, whoever is logged in."""

    jkt: Annotated[str, Meta(max_length=SECRET_CHARS)]
    step_up: bool = False


class LedTo(msgspec.Struct, frozen=True):
    """Where the page goes now: an address of the provider's."""

    url: str


class SessionTold(msgspec.Struct, frozen=True):
    """A session. `way`: `login` or `passkey`; `authenticated_at`: the login at the provider; `until`: when it ends, unless it is
    used before; `until_at_most`: when it ends in any case; `ath`: what the page's proofs name it by (RFC 9449), no secret."""

    account: str
    practice: str
    profession: str
    acr: str
    authenticated_at: datetime | None
    way: str
    until: datetime
    until_at_most: datetime
    ath: str


class Ended(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


@post("/portal/login", status_code=200, summary="Where to log in", tags=["Portal"])
async def post_login(data: JSONBody[LoginSent], request: Browser, portal: ThePortal) -> Response[LedTo]:
    """For a page of the hub's own, which has the key: a link that somebody mailed would bind the session to its sender's. The
    browser comes back with what its cookie and the provider's `state` say together; the session it has holds until then."""
    portal.door.check_own(request.scope)
    sent = await portal.logins.begin(
        data.jkt,
        portal.door.origin(request.scope) + CALLBACK,
        is_step_up=data.step_up,
        replaced=cookie(headers_of(request.scope), SESSION_COOKIE),
    )
    return Response(LedTo(sent.url), headers=PRIVATE, cookies=[login_cookie(sent.browser, LOGIN_S_MAX)])


@get(CALLBACK, include_in_schema=False)
async def get_callback(request: Browser, portal: ThePortal) -> Response[Any]:
    """Take the browser back: a session, or a refusal that says no more than its code; one whose login waits on may come again."""
    headers = headers_of(request.scope)
    forgotten = login_cookie("", 0)
    try:
        opened = await portal.logins.finish(came_back(query_of(request)), cookie(headers, LOGIN_COOKIE))
    except Refused as refused:
        return _again(request, refused) if refused.code == PROVIDER_BUSY.code else told_so(request, refused, forgotten)
    return led_to(f"{PAGE}#ath={ath(opened.token)}", forgotten, session_cookie(opened.token))


@get("/portal/session", summary="Who is logged in, and until when?", tags=["Portal"])
async def get_session(request: Browser, portal: ThePortal) -> Response[SessionTold]:
    """For the page that has the session's cookie and its key; a token opens nothing here."""
    session, token = portal.door.session(request.scope)
    return Response(_told(portal, session, token), headers=PRIVATE)


@delete("/portal/session", status_code=200, summary="Log out", tags=["Portal"])
async def delete_session(request: Browser, portal: ThePortal) -> Response[Ended]:
    """The session ends, in every process of the hub."""
    _, token = portal.door.session(request.scope)
    portal.sessions.end(token)
    return Response(Ended(1), headers=PRIVATE, cookies=[session_cookie("", 0)])


@delete("/portal/sessions", status_code=200, summary="Log out everywhere", tags=["Portal"])
async def delete_sessions(request: Browser, portal: ThePortal) -> Response[Ended]:
    """Every session of the account ends, this one too."""
    session, _ = portal.door.session(request.scope)
    return Response(Ended(portal.sessions.end_all(session)), headers=PRIVATE, cookies=[session_cookie("", 0)])


def ath(token: str) -> str:
    """What a proof names a session by."""
    return base64url(sha256(token.encode("ascii")).digest())


def session_cookie(token: str, max_age_s: int | None = None) -> Cookie:
    """The session's cookie: of this host alone, never read by a page, never sent from another site."""
    return Cookie(
        SESSION_COOKIE, value=token, path="/", secure=True, httponly=True, samesite="strict", max_age=max_age_s
    )


def login_cookie(browser: str, max_age_s: int) -> Cookie:
    """The cookie of a login under way: `lax`, for the provider, another site, leads back here."""
    return Cookie(LOGIN_COOKIE, value=browser, path="/", secure=True, httponly=True, samesite="lax", max_age=max_age_s)


def led_to(url: str, *cookies: Cookie) -> Response[bytes]:
    """Lead a browser on."""
    return Response(
        b"", media_type="text/plain", status_code=303, headers={**PRIVATE, "location": url}, cookies=list(cookies)
    )


def told_so(request: Browser, refused: Refused, *cookies: Cookie) -> Response[Any]:
    """A refusal: for a browser that wants a page, the portal's own page, which has words for the code."""
    if _wants_page(request):
        return led_to(f"{PAGE}#refused={refused.code}", *cookies)
    refusal = answer(refused, request.scope)
    for each in cookies:
        refusal.set_cookie(each)
    return refusal


def _again(request: Browser, refused: Refused) -> Response[Any]:
    """What a browser is told that may come back with the same answer."""
    if not _wants_page(request):
        return answer(refused, request.scope)
    headers = {**PRIVATE, "content-security-policy": "default-src 'none'", "refresh": str(AGAIN_S)}
    return Response(AGAIN.encode(), media_type="text/html", status_code=refused.refusal.status, headers=headers)


def _wants_page(request: Browser) -> bool:
    return "text/html" in only(headers_of(request.scope), b"accept")


def query_of(request: Browser) -> dict[str, list[str]]:
    """The parameters of the address. Raises `login_refused` for what is none of a provider's."""
    try:
        return parse_qs(request.scope["query_string"].decode("ascii"), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise LOGIN_REFUSED() from None


def _told(portal: Portal, session: Session, token: str) -> SessionTold:
    return SessionTold(
        session.sub,
        session.practice,
        session.profession,
        session.acr,
        instant(session.auth_ts * S_US) if session.auth_ts else None,
        session.way,
        instant(portal.sessions.ends_ts(session) * S_US),
        instant(session.until_ts * S_US),
        ath(token),
    )


HANDLERS = [post_login, get_callback, get_session, delete_session, delete_sessions]
