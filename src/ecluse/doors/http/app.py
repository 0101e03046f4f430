"""The HTTP door: routes, who asks, problems and probes put together."""

from __future__ import annotations

from threading import Event
from typing import Any, cast

import litestar
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp
from prometheus_client.registry import Collector

from ecluse import __version__
from ecluse.app.containment import let_in
from ecluse.app.hub import Hub
from ecluse.app.ports import Upkeep
from ecluse.app.ports.published import Published
from ecluse.app.quotes import QuoteSent, quote
from ecluse.app.rights import RightsQuestion, check_rights
from ecluse.doors.http import (
    approvals,
    claims,
    exposures,
    feeds,
    freezes,
    incident_acts,
    incidents,
    openings,
    passes,
    passkeys,
    portal,
    portal_logout,
    quotes,
    remittances,
    rights,
)
from ecluse.doors.http.bare import Bare
from ecluse.doors.http.description import Description
from ecluse.doors.http.front import Front
from ecluse.doors.http.journal import journal
from ecluse.doors.http.json_bodies import Sent
from ecluse.doors.http.meters import REGISTRY
from ecluse.doors.http.options import options
from ecluse.doors.http.portal_page import portal_page
from ecluse.doors.http.probes import probes
from ecluse.doors.http.problems import on_bug, on_http, on_refused
from ecluse.doors.http.slow_bodies import Bodies
from ecluse.doors.http.who import Door
from ecluse.gate.admission import Request
from ecluse.kernel.errors import Refused

BODY_BYTES_MAX = 1 << 20  # a hundred claim lines are 20 KB; feeds have their own limit
BODIES_BYTES_MAX = {
    rights.PATH: rights.QUESTION_BYTES_MAX,
    portal_logout.BACKCHANNEL: portal_logout.FORM_BYTES_MAX,
}
LOGINS = [*portal.HANDLERS, *portal_logout.HANDLERS]
PORTAL = [*LOGINS, *passkeys.HANDLERS]  # only where the settings want a portal
HANDLERS = [
    *rights.HANDLERS,
    *quotes.HANDLERS,
    *approvals.HANDLERS,
    *claims.HANDLERS,
    *remittances.HANDLERS,
    *feeds.HANDLERS,
    *exposures.HANDLERS,
    *incidents.HANDLERS,
    *incident_acts.HANDLERS,
    *passes.HANDLERS,
    *openings.HANDLERS,
    *freezes.HANDLERS,
]


def _portal(browsers: portal.Portal | None) -> list[Any]:
    """The portal's routes, as far as the settings want one."""
    if browsers is None:
        return []
    has_passkeys = browsers.passkeys is not None
    return [*(PORTAL if has_passkeys else LOGINS), *portal_page(passkeys=has_passkeys)]


def build(
    hub: Hub,
    door: Door,
    *,
    in_flight_max: int,
    log_requests: str = "refused",
    meters: Collector = REGISTRY,
    stopping: Event | None = None,
    upkeep: Upkeep | None = None,
    logs: Published | None = None,
    browsers: portal.Portal | None = None,
) -> ASGIApp:
    """The ASGI application of one worker; once `stopping` is set it says so, and answers whoever still asks. Without
    `browsers` there is no portal."""
    stopping = stopping or Event()

    async def know(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Hear who asks before what is asked: a guard goes before the body, as on the bare routes."""
        if "asked" in handler.parsed_fn_signature.parameters:
            who = await door.asked(connection.scope)
            await let_in(hub, who.account)
            cast("dict[str, Any]", connection.scope)["asked"] = who

    async def asked(request: litestar.Request[Any, Any, Any]) -> Request:
        return cast("Request", cast("dict[str, Any]", request.scope)["asked"])

    routes = Litestar(
        [
            *probes(hub, stopping, meters, upkeep),
            *(journal(logs) if logs else ()),
            *passes.public_passes(hub),
            *_portal(browsers),
            *HANDLERS,
        ],
        dependencies={
            "hub": Provide(lambda: hub, use_cache=True, sync_to_thread=False),
            "asked": Provide(asked),
            "portal": Provide(lambda: browsers, use_cache=True, sync_to_thread=False),
        },
        guards=[know],
        before_request=options,
        exception_handlers={Refused: on_refused, HTTPException: on_http, Exception: on_bug},
        openapi_config=OpenAPIConfig(
            title="Écluse", version=__version__, path="/schema", render_plugins=[Description(path="/")]
        ),
        request_max_body_size=BODY_BYTES_MAX,
        request_class=Sent,
        logging_config=None,
    )
    bare: dict[str, ASGIApp] = {
        rights.PATH: Bare(hub, door, RightsQuestion, rights.QUESTION_BYTES_MAX, check_rights),
        quotes.PATH: Bare(hub, door, QuoteSent, BODY_BYTES_MAX, quote),
    }
    return Front(
        routes,
        bare,
        in_flight_max,
        hub.ids,
        Bodies(BODIES_BYTES_MAX, BODY_BYTES_MAX),
        streams=feeds.STREAMS,
        log_requests=log_requests,
        stopping=stopping,
    )
