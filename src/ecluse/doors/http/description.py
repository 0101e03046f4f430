"""`/schema`: what the framework reads off the handlers; beside it who may ask, how calls are refused, and a file as body."""

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
    """The framework's schema with refusals, schemes and the body of a file."""
    _, problems = msgspec.json.schema_components([Problem], ref_template=REFERENCE)
    refused = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=Problem.__name__)}}}
    refusals = {status: {"description": told, "content": refused} for status, told in REFUSALS.items()}
    said = schema["components"]
    components = {**said, "schemas": {**said["schemas"], **problems}, "securitySchemes": SCHEMES}
    paths = {path: _path(path, calls, refusals) for path, calls in schema["paths"].items()}
    return {**schema, "components": components, "paths": paths}


def _path(path: str, calls: dict[str, Any], refusals: dict[str, Any]) -> dict[str, Any]:
    if not path.startswith(API):
        return calls
    asked: dict[str, Any] = {"security": [{name: []} for name in SCHEMES]}
    if path == FEEDS:
        asked["requestBody"] = {"required": True, "content": dict.fromkeys(sorted(MEDIA_TYPES), FILE)}
    return {how: {**call, **asked, "responses": {**call["responses"], **refusals}} for how, call in calls.items()}
