"""Refusals as `application/problem+json` (RFC 9457). Nothing else of an error ever leaves."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.params import ParameterKwarg
from litestar.types import Scope, Send

from ecluse.doors.log import LOG
from ecluse.gate.challenge import www_authenticate
from ecluse.kernel.errors import NOT_FOUND, Refused, place_of, refusal

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:ecluse:error:"
Asked = Request[Any, Any, Any]

MALFORMED = refusal("malformed", 400, "The request does not read", fix="Compare with the API's description at /schema.")
METHOD = refusal("method_not_allowed", 405, "This address takes another method", fix="See /schema.")
TOO_LARGE = refusal("too_large", 413, "The body is too large", fix="Send less at a time.")
MEDIA = refusal("media_type", 415, "This media type is not read here", fix="Send the media type named in /schema.")
OVERLOADED = refusal("overloaded", 503, "Too many requests at once", fix="Try again in a second.")
BROKEN = refusal(
    "broken", 500, "Something broke on our side", fix="Try again; if it lasts, tell the operator when it happened."
)

NO_BODY = "Object missing required field `data`"  # as the framework says it
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
    """A refusal from msgspec's words, which never hold the value."""
    what, pointer = place_of(message)
    return MALFORMED(what[:200], pointer=pointer or None)


def _headers(refused: Refused) -> dict[str, str]:
    """What a refusal says beside its body."""
    kind = refused.refusal
    if kind.status == 401:
        return {"www-authenticate": www_authenticate(refused)}
    retry_s = kind.retry_s or (1 if kind.status == 503 else 0)  # elsewhere, or in a moment, a 503 may be answered
    return {"retry-after": str(retry_s)} if retry_s else {}  # RFC 9110 §10.2.3; RFC 6585 §4 for 429


def answer(refused: Refused, scope: Scope) -> Response[Problem]:
    """The HTTP answer of a refusal; its code is noted for the log and the counters."""
    status = refused.refusal.status
    _note(refused, scope)
    return Response(problem(refused), status_code=status, media_type=MEDIA_TYPE, headers=_headers(refused))


async def send_problem(refused: Refused, scope: Scope, send: Send) -> None:
    """The same answer, where no framework is: on the bare routes and in front of them."""
    _note(refused, scope)
    status, body = refused.refusal.status, msgspec.json.encode(problem(refused))
    said = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **_headers(refused)}
    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def on_refused(request: Asked, refused: Refused) -> Response[Problem]:
    """What was expected and refused."""
    return answer(refused, request.scope)


def on_http(request: Asked, error: HTTPException) -> Response[Problem]:
    """What the framework refused: addresses, methods, bodies."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, msgspec.MsgspecError):
        cause = cause.__cause__
    if cause is not None:
        return answer(_misread(request, str(cause)), request.scope)
    refused = answer(_BY_STATUS.get(error.status_code, MALFORMED)(), request.scope)
    if allowed := (error.headers or {}).get("allow"):  # RFC 9110 §15.5.6
        refused.set_header("allow", ", ".join(sorted(allowed.split(", "))))
    return refused


def _misread(request: Asked, message: str) -> Refused:
    """What the framework could not give a handler: parameters are named as they are sent, and the body is no parameter."""
    if message == NO_BODY:
        return MALFORMED("the body is missing: JSON is expected")
    what, pointer = place_of(message.replace("`$.data", "`$"))
    declared = request.route_handler.parsed_fn_signature.parameters.get(pointer[1:])
    name = (
        declared.kwarg_definition.name if declared and isinstance(declared.kwarg_definition, ParameterKwarg) else None
    )
    return MALFORMED(what[:200], pointer=f"/{name}" if name else pointer or None)


def on_bug(request: Asked, bug: Exception) -> Response[Problem]:
    """A bug: where it happened goes to the log, without any value of the request."""
    return answer(broken(bug, request.scope), request.scope)


def broken(bug: Exception, scope: Scope) -> Refused:
    """Log a bug under the request's id; what is told of it outside."""
    LOG.error("broken", id=cast("dict[str, Any]", scope).get("request_id"), exc_info=bug)
    return BROKEN()


def _note(refused: Refused, scope: Scope) -> None:
    cast("dict[str, Any]", scope)["refused"] = refused.code
