"""Refusals as `application/problem+json` (RFC 9457). Nothing else of an error ever leaves."""

from __future__ import annotations

import re

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from ecluse.doors.http.log import LOG
from ecluse.kernel.errors import NOT_FOUND, Refused, refusal

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:ecluse:error:"

MALFORMED = refusal("malformed", 400, "The request does not read", fix="Compare with the API's description at /schema.")
METHOD = refusal("method_not_allowed", 405, "This address takes another method", fix="See /schema.")
TOO_LARGE = refusal("too_large", 413, "The body is too large", fix="Send less at a time.")
MEDIA = refusal("media_type", 415, "This media type is not read here", fix="Send the media type named in /schema.")
BROKEN = refusal("broken", 500, "Something broke on our side", fix="Try again; tell the operator the request id.")

_BY_STATUS = {404: NOT_FOUND, 405: METHOD, 413: TOO_LARGE, 415: MEDIA}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a refusal."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
    pointer: str | None = None


def problem(refused: Refused) -> Problem:
    """A refusal as outsiders read it."""
    kind = refused.refusal
    return Problem(
        TYPE + kind.code, kind.title, kind.status, refused.detail, kind.code, refused.fix, refused.pointer
    )  # fmt: skip


def malformed(message: str) -> Refused:
    """A refusal from msgspec's words, which end with the place: "… - at `$.lines[0].act`". They never hold the value."""
    what, _, path = message.partition(" - at `$")
    pointer = re.sub(r"\[(\d+|\.\.\.)\]|\.([^.\[`]+)", lambda found: f"/{found[1] or found[2]}", path.rstrip("`"))
    return MALFORMED(what[:200], pointer=pointer or None)


def answer(refused: Refused) -> Response[Problem]:
    """The HTTP answer of a refusal."""
    headers = {"WWW-Authenticate": "Bearer"} if refused.refusal.status == 401 else {}
    if refused.refusal.status == 503:
        headers["Retry-After"] = "1"
    return Response(problem(refused), status_code=refused.refusal.status, media_type=MEDIA_TYPE, headers=headers)


def on_refused(_: Request, refused: Refused) -> Response[Problem]:  # type: ignore[type-arg]
    """What was expected and refused."""
    return answer(refused)


def on_http(_: Request, error: HTTPException) -> Response[Problem]:  # type: ignore[type-arg]
    """What the framework refused: addresses, methods, bodies."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, msgspec.MsgspecError):
        cause = cause.__cause__
    if cause is not None:
        return answer(malformed(str(cause).replace("`$.data", "`$")))  # the framework calls the body `data`
    return answer(_BY_STATUS.get(error.status_code, MALFORMED)())


def on_bug(request: Request, bug: Exception) -> Response[Problem]:  # type: ignore[type-arg]
    """A bug: its traceback goes to the log, without any value of the request; the caller learns the request id only."""
    LOG.error("broken", path=request.scope["path"], kind=type(bug).__name__, exc_info=bug)
    return answer(BROKEN())
