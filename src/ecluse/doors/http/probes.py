"""What machines ask of a hub: does it live, can it answer, how is it doing. None of it is about a person."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from threading import Event
from typing import Any

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ecluse.app.hub import Hub
from ecluse.app.ports import Upkeep
from ecluse.doors.http.key_use import meter_keys
from ecluse.doors.http.meters import STORE, meter_gate, meter_store
from ecluse.doors.log import LOG

EXPOSITION = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")  # which the framework adds to every text
Parts = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]  # what an answer needs → what shows that it is there


def parts_of(hub: Hub, upkeep: Upkeep | None) -> Parts:
    """What this hub needs to answer."""
    parts: Parts = {"journal": hub.desk.ready, "rights": hub.rights.ready}
    return {**parts, "database": upkeep.ready} if upkeep else parts


class Readiness(msgspec.Struct, frozen=True):
    """`status`: ready, stopping or not_ready; `parts` that are not, by name and without a reason: strangers read it."""

    status: str
    parts: tuple[str, ...] = ()


async def readiness(parts: Parts, stopping: Event) -> Readiness:
    """Whether this process should be sent requests now."""
    if stopping.is_set():
        return Readiness("stopping")
    failing = tuple([name for name, check in parts.items() if not await _holds(name, check)])
    return Readiness("not_ready" if failing else "ready", failing)


async def _holds(name: str, check: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    try:
        await check()
    except Exception as failed:  # noqa: BLE001 - whatever fails, this part is not ready; the log says of what kind
        LOG.error("not ready", part=name, exc_info=failed)
        return False
    return True


def probes(hub: Hub, stopping: Event, meters: Collector, upkeep: Upkeep | None) -> list[Any]:
    """The handlers of one worker; with `upkeep` they tell of the database too."""
    parts, keys = parts_of(hub, upkeep), meter_keys(hub.keys.tally)

    @get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/readyz", include_in_schema=False)
    async def readyz() -> Response[Readiness]:
        """The process can answer questions: it holds its part of the journal, its database opens, and it is not stopping."""
        found = await readiness(parts, stopping)
        return Response(found, status_code=200 if found.status == "ready" else 503)

    @get("/metrics", include_in_schema=False)
    async def metrics() -> Response[bytes]:
        """Counts and times of every process of the hub, for Prometheus."""
        if upkeep:
            await meter_store(upkeep)
        meter_gate(hub.sensings.waiting())
        told = generate_latest(meters) + generate_latest(STORE) + generate_latest(keys)
        return Response(told, media_type=EXPOSITION)

    return [healthz, readyz, metrics]
