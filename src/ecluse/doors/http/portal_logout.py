"""`/portal/logout`: the session ends here, and the browser is sent to the provider to end that one too.

`GET /portal/logout` sends it, `GET /portal/logged-out` takes it back and leads to the page. Nothing here waits for the session to
end: it has, before the provider is asked. `POST /portal/backchannel-logout` is for the provider: it says whose session it ended.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from msgspec import Meta

from ecluse.doors.http.portal import (
    PAGE,
    PRIVATE,
    Browser,
    Ended,
    ThePortal,
    led_to,
    login_cookie,
    query_of,
    session_cookie,
    told_so,
)
from ecluse.doors.http.who import cookie, headers_of, only
from ecluse.gate.identity import TOKEN_BYTES_MAX
from ecluse.gate.portal.login import LOGIN_S_MAX, came_back
from ecluse.gate.portal.session import LOGIN_COOKIE, SESSION_COOKIE, check_own_navigation
from ecluse.kernel.errors import Refused

RETURN = "/portal/logged-out"
BACKCHANNEL = "/portal/backchannel-logout"
FORM_BYTES_MAX = 2 * TOKEN_BYTES_MAX  # a token, and what a provider may send beside it (§2.5)


class ProviderTold(msgspec.Struct, frozen=True):
    """What the identity provider does for a page. `ends_sessions`: whether it can be asked to end its own session."""

    ends_sessions: bool


class LogoutSent(msgspec.Struct, frozen=True):
    """What a provider sends when it ended a session of its own (OpenID Connect Back-Channel Logout 1.0 §2.5)."""

    logout_token: Annotated[str, Meta(max_length=TOKEN_BYTES_MAX)]


@get("/portal/provider", summary="What the identity provider does for the page", tags=["Portal"])
async def get_provider(request: Browser, portal: ThePortal) -> Response[ProviderTold]:
    """For a page of the hub's own, logged in or not; it says nothing of anybody."""
    portal.door.check_own(request.scope)
    return Response(ProviderTold(await portal.logouts.is_offered()), headers=PRIVATE)


@get("/portal/logout", include_in_schema=False)
async def get_logout(request: Browser, portal: ThePortal) -> Response[Any]:
    """End the session of this browser, then send it to the provider."""
    headers = headers_of(request.scope)
    check_own_navigation(only(headers, b"sec-fetch-site"))
    portal.sessions.end(cookie(headers, SESSION_COOKIE))
    ended = session_cookie("", 0)
    try:
        sent = await portal.logouts.begin(portal.door.origin(request.scope) + RETURN)
    except Refused as refused:
        return told_so(request, refused, ended)
    return led_to(sent.url, ended, login_cookie(sent.browser, LOGIN_S_MAX))


@get(RETURN, include_in_schema=False)
async def get_logged_out(request: Browser, portal: ThePortal) -> Response[Any]:
    """Take the browser back, and say so to the page."""
    forgotten = login_cookie("", 0)
    try:
        await portal.logouts.finish(came_back(query_of(request)).state, cookie(headers_of(request.scope), LOGIN_COOKIE))
    except Refused as refused:
        return told_so(request, refused, forgotten)
    return led_to(f"{PAGE}#out=1", forgotten)


@post(
    BACKCHANNEL,
    status_code=200,
    summary="The provider ended a session of its own",
    tags=["Portal"],
    request_max_body_size=FORM_BYTES_MAX,
)
async def post_backchannel_logout(
    data: URLEncodedBody[LogoutSent], request: Browser, portal: ThePortal
) -> Response[Ended]:
    """For the provider alone, which signs what it says; a browser's is refused. The sessions of that login end, or those of the
    account."""
    portal.door.check_no_page(request.scope)
    return Response(Ended(await portal.provider_logouts.end(data.logout_token)), headers=PRIVATE)


HANDLERS = [get_provider, get_logout, get_logged_out, post_backchannel_logout]
