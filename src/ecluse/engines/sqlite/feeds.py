"""The `FeedStore` port: feeds, their outcomes and their refused rows in hub.db."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from ecluse.app.ports import FeedCounts, FeedRecord
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.named import named
from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import refusal

SQL = named("feeds.sql")

KEY_REUSED = refusal(
    "idempotency_key_reused", 409, "This Idempotency-Key was used for another file", fix="Use a new key for a new file."
)

_counts = msgspec.msgpack.Decoder(FeedCounts).decode


class Feeds:
    """Feeds of one hub; the generation an insurer is answered from changes here and nowhere else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, feed: FeedRecord) -> None:
        """Keep a new feed; durable on return."""
        self._database.now(lambda connection: _begin(connection, feed))

    async def receive(self, feed: FeedRecord, key: bytes, body: bytes) -> str:
        """Keep a feed received over HTTP, or find the one this is: its id. Raises `idempotency_key_reused`."""

        def work(connection: sqlite3.Connection) -> str:
            asked = connection.execute(SQL["requested"], (feed.insurer, key)).fetchone() if key else None
            if asked and asked[0] != body:
                raise KEY_REUSED()
            same = asked[1] if asked else _same(connection, feed.insurer, feed.mode, feed.digest)
            if same is None:
                _begin(connection, feed)
            if key and not asked:
                connection.execute(SQL["request"], (feed.insurer, key, body, same or feed.id))
            return same or feed.id

        return await self._database.write(work)

    def same(self, insurer: str, mode: str, digest: str) -> str | None:
        """The feed that did, or is doing, exactly this, unless another was loaded since."""
        return _same(self._database.reader, insurer, mode, digest)

    def feed(self, id_: str) -> FeedRecord | None:
        """One feed."""
        row = self._database.reader.execute(SQL["one"], (id_,)).fetchone()
        if row is None:
            return None
        names = FeedRecord.__struct_fields__
        counts = _counts(row[-2]) if row[-2] else FeedCounts()
        return msgspec.convert({**dict(zip(names, row, strict=True)), "counts": counts}, FeedRecord, strict=False)

    def refusals(self, id_: str) -> list[RowRefusal]:
        """The refused rows kept in detail."""
        return [RowRefusal(*row) for row in self._database.reader.execute(SQL["refusals"], (id_,))]

    def unfinished(self) -> list[str]:
        """Feeds received over HTTP that are not finished, oldest first."""
        return [row[0] for row in self._database.reader.execute(SQL["unfinished"])]

    def load(self, id_: str) -> None:
        """A received feed is being loaded."""
        self._database.now(lambda connection: connection.execute(SQL["load"], (id_,)))

    def refuse(self, id_: str, counts: FeedCounts, refusals: Sequence[RowRefusal], at_ts_us: int) -> None:
        """The feed is refused, and changes nothing."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(SQL["refused_row"], [(id_, *msgspec.structs.astuple(each)) for each in refusals])
            _finish(connection, id_, "refused", None, counts, at_ts_us)

        self._database.now(work)

    def answer(self, id_: str, insurer: str, generation: str, counts: FeedCounts, at_ts_us: int) -> None:
        """One transaction: the feed is loaded, and its generation answers."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["answer"], {"insurer": insurer, "generation": generation})
            _finish(connection, id_, "loaded", generation, counts, at_ts_us)

        self._database.now(work)


def _same(connection: sqlite3.Connection, insurer: str, mode: str, digest: str) -> str | None:
    row = connection.execute(SQL["same"], (insurer, mode, digest)).fetchone()
    return row[0] if row else None


def _begin(connection: sqlite3.Connection, feed: FeedRecord) -> None:
    connection.execute(SQL["begin"], msgspec.structs.asdict(feed))


def _finish(
    connection: sqlite3.Connection, id_: str, state: str, generation: str | None, counts: FeedCounts, at_ts_us: int
) -> None:
    packed = msgspec.msgpack.encode(counts)
    connection.execute(
        SQL["finish"], {"id": id_, "state": state, "at_ts_us": at_ts_us, "counts": packed, "generation": generation}
    )
