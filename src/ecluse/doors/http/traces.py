"""OpenTelemetry traces of requests and their steps, when `traces.endpoint` is set; nothing else of the program knows of them.

A span of a request is made around the whole door; those of its steps around the ports that the hub is made of, by a table.
Attributes are the table's words, routes, statuses, codes and the request's id: never a value of the request, a message of an
error, or what a client sent beside a well-formed `traceparent`. Without the setting this module is not even imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ecluse import __version__
from ecluse.app.hub import Hub
from ecluse.doors.http.front import TRACE, route_of

# Part of the hub → its methods that are steps of a request, and what their spans are called.
STEPS: dict[str, dict[str, str]] = {
    "desk": {"admit": "admit", "release": "journal"},
    "rights": {"rights": "read rights", "engagement": "read engagement"},
    "claims": {
        "take": "take claim",
        "cancel": "cancel claim",
        "claim": "read claim",
        "page": "read claims",
        "reserve": "reserve use",
    },
    "payments": {"remittances_of": "read remittances", "remittance": "read remittance"},
}

_PROPAGATOR = TraceContextTextMapPropagator()


def open_tracer(endpoint: str, ratio: float, worker: str) -> tuple[Tracer, Callable[[], None]]:
    """A tracer that sends `ratio` of traces to an OTLP/HTTP `endpoint`, and what sends the rest and ends it.

    A caller's trace is gone on with, but how many are kept is decided here: a client cannot make the hub trace everything.
    """
    kept = TraceIdRatioBased(ratio)
    provider = TracerProvider(
        sampler=ParentBased(kept, remote_parent_sampled=kept, remote_parent_not_sampled=ALWAYS_OFF),
        resource=Resource(
            {"service.name": "ecluse", "service.version": __version__, "service.instance.id": worker}
        ),  # as is: `Resource.create` would add the command line and whatever stands in the environment
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider.get_tracer("ecluse", __version__), provider.shutdown


def traced_hub(hub: Hub, tracer: Tracer) -> Hub:
    """The same hub, with a span around each of its `STEPS`."""
    steps = {part: _Stepped(getattr(hub, part), names, tracer) for part, names in STEPS.items()}
    return replace(hub, **cast("dict[str, Any]", steps))


class TracedDoor:
    """An ASGI application around another: one span a request."""

    def __init__(self, inner: ASGIApp, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request under a span of its own."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
            return
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with _span(self._tracer, "request", _caller(scope), SpanKind.SERVER) as span:
            seen = cast("dict[str, Any]", scope)
            seen["trace"] = f"{span.get_span_context().trace_id:032x}"
            try:
                await self._inner(scope, receive, note)
            finally:
                span.update_name(f"{seen['method']} {route_of(scope)}")
                for name, value in _attributes(seen, status).items():
                    span.set_attribute(name, value)
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


class _Stepped:
    """A part of the hub whose named methods run under a span; everything else of it is as it was."""

    def __init__(self, part: object, names: Mapping[str, str], tracer: Tracer) -> None:
        self._part = part
        for method, name in names.items():
            setattr(self, method, _stepped(getattr(part, method), name, tracer))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def _stepped(method: Callable[..., Any], name: str, tracer: Tracer) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def awaited(*given: Any, **named: Any) -> Any:
            with _span(tracer, name):
                return await method(*given, **named)

        return awaited

    @wraps(method)
    def called(*given: Any, **named: Any) -> Any:
        with _span(tracer, name):
            return method(*given, **named)

    return called


@contextmanager
def _span(
    tracer: Tracer, name: str, caller: Context | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Any]:
    """A span that notes nothing of an exception: its message may hold a value."""
    with tracer.start_as_current_span(
        name, caller, kind, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def _caller(scope: Scope) -> Context:
    """The caller's trace, when `traceparent` reads as one; `tracestate` and baggage are free text, and are not read."""
    sent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"").decode("latin-1")
    return _PROPAGATOR.extract({"traceparent": sent}, Context()) if TRACE.fullmatch(sent) else Context()


def _attributes(seen: Mapping[str, Any], status: int) -> dict[str, str | int]:
    told = {
        "http.request.method": seen["method"],
        "http.route": route_of(cast("Scope", seen)),
        "http.response.status_code": status,
        "ecluse.request": seen.get("request_id", ""),
    }
    return {**told, "ecluse.refusal": seen["refused"]} if "refused" in seen else told
