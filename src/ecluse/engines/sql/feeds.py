"""The `FeedStore` port: feeds, their outcomes and their refused rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ecluse.app.ports import FeedCounts, FeedRecord
from ecluse.engines.sql.unit import Database, Reads, Tx
from ecluse.exposure.reach import Held
from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import refusal

KEY_REUSED = refusal(
    "idempotency_key_reused", 409, "This Idempotency-Key was used for another file", fix="Use a new key for a new file."
)

FEED_IN_PROGRESS = refusal(
    "feed_in_progress", 409, "A member file of this insurer is being loaded", fix="Wait until it is finished."
)

WAITING_MAX = 20  # files of one insurer that wait or are loaded: a full one, and the hourly changes of its night

FEEDS_WAITING = refusal(
    "feeds_waiting",
    429,
    "Too many member files of this insurer wait to be loaded",
    fix="Wait until one of them is finished (GET /v1/feeds/{feed_id}), then send this one.",
    retry_s=60,  # loading takes seconds to minutes, and several wait
)

_counts = msgspec.msgpack.Decoder(FeedCounts).decode


class Feeds:
    """Feeds of one hub. That a feed `loaded` is told here, once its generation answers (`RightsWork.answer`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, feed: FeedRecord) -> None:
        """Keep a new feed; durable on return."""
        await self._database.write(lambda tx: _begin(tx, feed))

    async def receive(self, feed: FeedRecord, key: bytes, body: bytes) -> str:
        """Keep a feed received over HTTP, or find the one this is: its id. Raises `idempotency_key_reused`, `feeds_waiting`."""

        async def work(tx: Tx) -> str:
            await tx.hold("feeds", feed.insurer)
            asked = await tx.one("feed_requested", insurer=feed.insurer, key=key) if key else None
            if asked and asked[0] != body:
                raise KEY_REUSED()
            same = asked[1] if asked else await _same(tx, feed.insurer, feed.mode, feed.digest)
            if same is None:
                await _check_room(tx, feed.insurer)
                await _begin(tx, feed)
            if key and not asked:
                await tx.run("feed_request", insurer=feed.insurer, key=key, body=body, feed=same or feed.id)
            return same or feed.id

        return await self._database.write(work)

    async def check_room(self, insurer: str) -> None:
        """Raise `feeds_waiting` when as many files of the insurer wait as may."""
        await _check_room(self._database.reads, insurer)

    async def unfit(self, insurer: str, since_ts_us: int) -> int:
        """How many deltas of this insurer ended since then because rows did not fit what is held."""
        row = await self._database.reads.one("unfit_feeds", insurer=insurer, since_ts_us=since_ts_us)
        return row[0] if row else 0

    async def same(self, insurer: str, mode: str, digest: str) -> str | None:
        """The feed that did, or is doing, exactly this, unless another was loaded since."""
        return await _same(self._database.reads, insurer, mode, digest)

    async def feed(self, id_: str) -> FeedRecord | None:
        """One feed."""
        row = await self._database.reads.one("feed", feed=id_)
        if row is None:
            return None
        names = FeedRecord.__struct_fields__
        counts = _counts(row[-2]) if row[-2] else FeedCounts()
        return msgspec.convert({**dict(zip(names, row, strict=True)), "counts": counts}, FeedRecord, strict=False)

    async def refusals(self, id_: str) -> list[RowRefusal]:
        """The refused rows kept in detail."""
        return [RowRefusal(*row) for row in await self._database.reads.all("feed_refusals", feed=id_)]

    async def unfinished(self) -> list[str]:
        """Feeds received over HTTP that are not finished, oldest first."""
        return [row[0] for row in await self._database.reads.all("unfinished_feeds")]

    async def in_turn(self) -> list[tuple[str, str]]:
        """Feed and insurer of the oldest unfinished feed of each insurer, in the order of their turns."""
        return [(row[0], row[1]) for row in await self._database.reads.all("feeds_in_turn")]

    async def held(self, until_ts_us: int) -> list[Held]:
        """How many people each insurer's rights held from each feed on that was loaded before `until_ts_us`."""
        rows = await self._database.reads.all("loaded_feeds", until_ts_us=until_ts_us)
        return [Held(insurer, at_ts_us, _counts(counts).persons) for insurer, at_ts_us, counts in rows]

    async def people(self, insurer: str) -> int:
        """How many people the insurer's rights hold now."""
        row = await self._database.reads.one("newest_counts", insurer=insurer)
        return _counts(row[0]).persons if row else 0

    async def people_shown(self, insurer: str, before_ts_us: int) -> int:
        """How many people the insurer's rights held from the newest feed on that was loaded before then, or is a full file."""
        row = await self._database.reads.one("shown_counts", insurer=insurer, before_ts_us=before_ts_us)
        return _counts(row[0]).persons if row else 0

    async def load(self, id_: str) -> None:
        """A received feed is being loaded."""
        await self._database.write(lambda tx: tx.run("load_feed", feed=id_))

    async def refuse(self, id_: str, counts: FeedCounts, refusals: Sequence[RowRefusal], at_ts_us: int) -> None:
        """The feed is refused, and changes nothing."""

        async def work(tx: Tx) -> None:
            await tx.many("refused_row", [{"feed": id_, **msgspec.structs.asdict(each)} for each in refusals])
            await finish(tx, id_, "refused", None, counts, at_ts_us)

        await self._database.write(work)


async def finish(tx: Tx, id_: str, state: str, generation: str | None, counts: FeedCounts, at_ts_us: int) -> None:
    """The outcome of a feed, inside the unit of work that brings it about."""
    packed = msgspec.msgpack.encode(counts)
    await tx.run("finish_feed", id=id_, state=state, at_ts_us=at_ts_us, counts=packed, generation=generation)


async def _same(reads: Reads, insurer: str, mode: str, digest: str) -> str | None:
    row = await reads.one("same_feed", insurer=insurer, mode=mode, digest=digest)
    return row[0] if row else None


async def _check_room(reads: Reads, insurer: str) -> None:
    row = await reads.one("waiting_feeds", insurer=insurer)
    if row and row[0] >= WAITING_MAX:
        raise FEEDS_WAITING(f"{row[0]} files")


async def _begin(tx: Tx, feed: FeedRecord) -> None:
    values = msgspec.structs.asdict(feed)
    del values["counts"]
    await tx.run("begin_feed", **values)
