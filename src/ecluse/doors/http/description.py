"""`/schema`: what the framework reads off the handlers; beside it who may ask, how calls are refused, a file as body, and
lists of one kind."""

from __future__ import annotations

from typing import Any

import litestar
import msgspec
from litestar.openapi.plugins import JsonRenderPlugin

from ecluse.doors.http.feeds import MEDIA_TYPES
from ecluse.doors.http.feeds import PATH as FEEDS
from ecluse.doors.http.problems import MEDIA_TYPE, Problem

API = "/v1/"  # what is asked with a token; the portal's calls are asked with a cookie of its own page's
REFERENCE = "#/components/schemas/{name}"
REFUSALS = {
    "400": "The request does not read",
    "401": "Without a valid access token, or without showing that it is one's own",
    "403": "This token may not do this, or its account is closed",
    "429": "Too much was asked; `Retry-After` says when again, where that is known",
    "500": "Something broke on our side",
    "503": "Not now; `Retry-After` says when again",
    "default": "Refused otherwise, as 409, 410, 422 or 507: `code` says for what, and `fix` what to do",
}
OF_A_NAME = {"404": "Nothing of that name, or somebody else's"}
OF_A_BODY = {
    "408": "The body came too slowly",
    "413": "The body is too large",
    "415": "This media type is not read here",
}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "RFC 9068, of a trusted issuer"},
    "dpop": {"type": "http", "scheme": "dpop", "description": "The same, bound to a key: RFC 9449, with a proof in `DPoP`"},
}  # fmt: skip
FILE = {"schema": {"type": "string", "format": "binary"}}


class Description(JsonRenderPlugin):
    """The schema as JSON, made once."""

    _made: bytes | None = None

    def render(self, request: litestar.Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """What `completed` gives."""
        if self._made is None:
            self._made = self.render_json(request, completed(openapi_schema))
        return self._made


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """The framework's schema with lists of one kind, refusals, schemes and the body of a file."""
    _, problems = msgspec.json.schema_components([Problem], ref_template=REFERENCE)
    said = of_one_kind(schema)
    components = {**said["components"], "schemas": {**said["components"]["schemas"], **problems}}
    components["securitySchemes"] = SCHEMES
    return {
        **said,
        "components": components,
        "paths": {path: _path(path, calls) for path, calls in said["paths"].items()},
    }


def of_one_kind(node: Any) -> Any:
    """The same, where each item of a list is what it must be: of a `tuple[X, ...]` with a length the framework says
    "either X or anything, and not both", which refuses every X and takes whatever is none."""
    if isinstance(node, list):
        return [of_one_kind(each) for each in node]
    if not isinstance(node, dict):
        return node
    match node:
        case {"items": {"oneOf": [kind, {**anything}]}} if not anything:
            node = {**node, "items": kind}
    return {name: of_one_kind(each) for name, each in node.items()}


def _path(path: str, calls: dict[str, Any]) -> dict[str, Any]:
    if not path.startswith(API):
        return calls
    asked: dict[str, Any] = {"security": [{name: []} for name in SCHEMES]}
    if path == FEEDS:
        asked["requestBody"] = {"required": True, "content": dict.fromkeys(sorted(MEDIA_TYPES), FILE)}
    return {how: _refused(path, {**call, **asked}) for how, call in calls.items()}


def _refused(path: str, call: dict[str, Any]) -> dict[str, Any]:
    """The call with the refusals it may be answered with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=Problem.__name__)}}}
    told = REFUSALS | (OF_A_NAME if "{" in path else {}) | (OF_A_BODY if "requestBody" in call else {})
    refusals = {status: {"description": words, "content": content} for status, words in sorted(told.items())}
    return {**call, "responses": {**call["responses"], **refusals}}
