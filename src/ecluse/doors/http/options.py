"""`OPTIONS`: which methods an address takes. The framework names those of the handler that it met first."""

from __future__ import annotations

from typing import Any

import litestar
from litestar import Response


async def options(request: litestar.Request[Any, Any, Any]) -> Response[None] | None:
    """The answer to `OPTIONS`, before its handler; nothing for every other method."""
    if request.method != "OPTIONS":
        return None
    template = request.scope["path_template"]
    methods = {
        each for route in request.app.routes if route.path_format == template for each in getattr(route, "methods", ())
    }
    return Response(None, status_code=204, headers={"allow": ", ".join(sorted(methods))}, media_type="text/plain")
