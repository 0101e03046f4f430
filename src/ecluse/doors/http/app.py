"""The HTTP door: routes, who asks, problems, health and metrics put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import litestar
from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ecluse import __version__
from ecluse.app.hub import Hub
from ecluse.doors.http import claims, feeds, quotes, remittances, rights
from ecluse.doors.http.front import Front
from ecluse.doors.http.given import TheHub
from ecluse.doors.http.problems import on_bug, on_http, on_refused
from ecluse.doors.http.who import Door
from ecluse.gate.admission import Request
from ecluse.gate.identity import Issuer
from ecluse.kernel.errors import Refused

BODY_BYTES_MAX = 1 << 20  # a hundred claim lines are 20 KB; feeds have their own limit
HANDLERS = [*rights.HANDLERS, *quotes.HANDLERS, *claims.HANDLERS, *remittances.HANDLERS, *feeds.HANDLERS]
PREFIXES = {rights.PATH: rights.PREFIX, "/v1/quotes": "quo_", "/v1/claims": "clm_", "/v1/feeds": "fee_"}


@get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(hub: TheHub) -> dict[str, str]:
    """The process can answer questions: it holds its part of the journal and its database opens."""
    await hub.rights.ready()
    return {"status": "ready"}


@get("/metrics", include_in_schema=False)
async def metrics() -> Response[bytes]:
    """Counts and times for Prometheus; no label names a person or an account."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def build(hub: Hub, issuers: Mapping[str, Issuer], *, in_flight_max: int) -> ASGIApp:
    """The ASGI application of one worker."""
    door = Door(issuers, hub.clock, hub.ids)

    def asked(request: litestar.Request[Any, Any, Any]) -> Request:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        return door.asked(authorization, PREFIXES.get(request.scope["path"], "req_"))

    routes = Litestar(
        [healthz, readyz, metrics, *HANDLERS],
        dependencies={
            "hub": Provide(lambda: hub, use_cache=True, sync_to_thread=False),
            "asked": Provide(asked, sync_to_thread=False),
        },
        exception_handlers={Refused: on_refused, HTTPException: on_http, Exception: on_bug},
        openapi_config=OpenAPIConfig(
            title="Écluse", version=__version__, path="/schema", render_plugins=[JsonRenderPlugin(path="/")]
        ),
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    return Front(routes, {rights.PATH: rights.Checks(hub, door)}, in_flight_max)
