"""`POST /v1/feeds` and `GET /v1/feeds/{id}`: member files over HTTP. Received and sealed here; loaded by `doors/loader.py`."""

from __future__ import annotations

import re
from typing import Annotated, Any

import litestar
import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, HeaderParameter

from ecluse.app.feeds import Order, own_feed, receive_file
from ecluse.doors.http.given import Asked, TheHub
from ecluse.doors.http.problems import MEDIA
from ecluse.formats.feed.file import FILE_BYTES_MAX, Mode, RowRefusal
from ecluse.formats.feed.told import told
from ecluse.gate.identity import permit
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

PATH = "/v1/feeds"
STREAMS = frozenset({PATH})
MEDIA_TYPES = frozenset({"text/csv", "application/vnd.apache.parquet"})
KEY = re.compile(r"[\x21-\x7e]{1,128}")  # what clients send is a UUID

KEY_INVALID = refusal(
    "idempotency_key_invalid", 400, "This is not an idempotency key", fix="Send 1 to 128 visible characters."
)


class FeedReceived(msgspec.Struct, frozen=True):
    """A file is kept and will be loaded; ask for its state at `/v1/feeds/{feed_id}`."""

    feed_id: str
    state: str


class FeedCounted(msgspec.Struct, frozen=True):
    """Rows of the file, and what the insurer's rights hold once it is loaded; of a delta, this is told to the operator alone."""

    rows: int
    refused_rows: int
    persons: int | None
    rights: int | None


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was refused; `line` counts from 1, header included. Never holds a value of the row."""

    line: int
    column: str
    code: str
    detail: str
    fix: str


class FeedState(msgspec.Struct, frozen=True):
    """What became of a feed. `refusals` holds the first 10 000; `refusals_total` counts them all. Of a delta whose rows do not
    fit what is held, an insurer hears of a few, then `more_not_told`, and counts are those of the rows it hears of."""

    feed_id: str
    insurer: str
    mode: Mode
    state: str
    counts: FeedCounted
    refusals: list[RefusedRow]
    refusals_total: int


@post(
    PATH,
    status_code=202,
    summary="Send a member file",
    tags=["Insurers"],
    request_max_body_size=FILE_BYTES_MAX,
)
async def post_feed(
    request: litestar.Request[Any, Any, Any],
    hub: TheHub,
    asked: Asked,
    mode: FromQuery[Mode] = Mode.FULL,
    insurer: FromQuery[str] = "",
    drop_unknown: FromQuery[bool] = False,
    idempotency_key: Annotated[str, HeaderParameter(name="Idempotency-Key")] = "",
) -> FeedReceived:
    """The body is the file: `text/csv` or `application/vnd.apache.parquet`. The same file again is the same feed."""
    permit(asked.account, "feeds")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise MEDIA(f"send one of {', '.join(sorted(MEDIA_TYPES))}")
    if idempotency_key and not KEY.fullmatch(idempotency_key):
        raise KEY_INVALID()
    order = Order(amc(insurer or asked.account.insurer), mode, drop_unknown, asked.account.sub)
    feed = await receive_file(hub, asked, order, idempotency_key, request.stream())
    return FeedReceived(feed.id, feed.state)


@get("/v1/feeds/{feed_id:str}", summary="What became of a member file", tags=["Insurers"])
async def get_feed(feed_id: FromPath[str], hub: TheHub, asked: Asked) -> FeedState:
    """Counts, and every refused row with its line, column, code and fix."""
    feed = await own_feed(hub, asked, feed_id)
    counts, refusals = feed.counts, await hub.feeds.store.refusals(feed.id)
    to = "" if not asked.account.insurer else feed.mode  # the operator hears all, whatever the mode
    heard = told(refusals, counts.refused_rows, counts.refusals_total, to)
    held = (None, None) if to == Mode.DELTA else (counts.persons, counts.rights)
    return FeedState(
        feed.id,
        feed.insurer,
        Mode(feed.mode),
        feed.state,
        FeedCounted(counts.rows, heard.refused_rows, *held),
        [_row(each) for each in heard.refusals],
        heard.total,
    )


def _row(refused: RowRefusal) -> RefusedRow:
    return RefusedRow(*msgspec.structs.astuple(refused))


HANDLERS = [post_feed, get_feed]
