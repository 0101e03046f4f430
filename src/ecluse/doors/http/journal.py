"""The journal's public side: signed heads and hashes (C2SP tlog-tiles), for witnesses and auditors. Never an entry."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar import Response, get

from ecluse.app.ports.published import Published
from ecluse.kernel.errors import NOT_FOUND

CHECKPOINT_CACHE_S = 2  # a head is replaced every second; the specification wants a few at most
SHARDS_CACHE_S = 60
_TILE = r"tile/(?:[0-9]|[1-5]\d|6[0-3])/(?:x\d{3}/){0,6}\d{3}(?:\.p/(?:[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))?"
_PATH = re.compile(rf"/(?:(?P<shard>\d{{4}}-\d{{2}}-w\d{{1,2}})/)?(?P<file>checkpoint|{_TILE})")


def journal(logs: Published) -> list[Any]:
    """The handlers of one worker."""

    @get("/journal/shards.json", include_in_schema=False, sync_to_thread=True)
    def shards() -> Response[bytes]:
        """Every log of the journal, with its key."""
        return _answer(msgspec.json.encode(logs.shards()), "application/json", f"public, max-age={SHARDS_CACHE_S}")

    @get("/journal/{rest:path}", include_in_schema=False, sync_to_thread=True)
    def file(rest: str) -> Response[bytes]:
        """A head or a tile; without a shard's name, of the newest shard of the first writer."""
        found = _PATH.fullmatch(rest)
        shard = (found["shard"] or _newest(logs)) if found else ""
        if found is None or not shard:
            raise NOT_FOUND()
        if found["file"] == "checkpoint":
            return _head(logs, shard)
        if (tile := logs.tile(shard, found["file"])) is None:
            raise NOT_FOUND()
        return _answer(tile, "application/octet-stream", "public, max-age=31536000, immutable")

    return [shards, file]


def _head(logs: Published, shard: str) -> Response[bytes]:
    if (note := logs.checkpoint(shard)) is None:
        raise NOT_FOUND()
    return _answer(note.encode(), "text/plain", f"public, max-age={CHECKPOINT_CACHE_S}")


def _newest(logs: Published) -> str:
    return max((each.name for each in logs.shards() if each.name.endswith("-w0")), default="")


def _answer(content: bytes, media_type: str, cached: str) -> Response[bytes]:
    return Response(content, media_type=media_type, headers={"cache-control": cached})
