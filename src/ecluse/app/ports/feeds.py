"""Member files: received, read, staged, answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from ecluse.exposure.reach import Held
from ecluse.formats.feed.file import Checked, FeedRow, RowRefusal, Terms


class FeedCounts(msgspec.Struct, frozen=True):
    """What a feed amounted to: its rows, and what the insurer's rights hold once it is loaded."""

    rows: int = 0
    refused_rows: int = 0
    refusals_total: int = 0
    persons: int = 0
    rights: int = 0


class FeedRecord(msgspec.Struct, frozen=True):
    """A member feed as the hub keeps it. `state`: received, loading, loaded or refused."""

    id: str
    insurer: str
    mode: str
    state: str
    received_ts_us: int
    account: str
    drop_unknown: bool
    spooled: bool
    counts: FeedCounts
    digest: str


class FeedStore(Protocol):
    """Feeds and their outcomes. Changes are durable on return."""

    async def begin(self, feed: FeedRecord) -> None:
        """Keep a new feed."""
        ...

    async def receive(self, feed: FeedRecord, key: bytes, body: bytes) -> str:
        """Keep a feed received over HTTP, or find it: its id. Raises `idempotency_key_reused`, `feeds_waiting`."""
        ...

    async def check_room(self, insurer: str) -> None:
        """Raise `feeds_waiting` when as many files of this insurer wait to be loaded as may."""
        ...

    async def unfit(self, insurer: str, since_ts_us: int) -> int:
        """How many deltas of this insurer ended since then because rows did not fit what is held."""
        ...

    async def same(self, insurer: str, mode: str, digest: str) -> str | None:
        """The feed that did, or is doing, exactly this, with no other feed loaded after it."""
        ...

    async def feed(self, id_: str) -> FeedRecord | None:
        """One feed."""
        ...

    async def refusals(self, id_: str) -> list[RowRefusal]:
        """The refused rows kept in detail, in the order of their lines."""
        ...

    async def unfinished(self) -> list[str]:
        """Feeds received over HTTP that are not finished, oldest first."""
        ...

    async def in_turn(self) -> list[tuple[str, str]]:
        """The oldest feed received over HTTP and not finished of each insurer, with the insurer; whose last feed ended longest
        ago first."""
        ...

    async def load(self, id_: str) -> None:
        """A received feed is being loaded."""
        ...

    async def held(self, until_ts_us: int) -> list[Held]:
        """How many people each insurer's rights held from each feed on that was loaded before `until_ts_us`."""
        ...

    async def people(self, insurer: str) -> int:
        """How many people the insurer's rights hold now; none before its first member file."""
        ...

    async def people_shown(self, insurer: str, before_ts_us: int) -> int:
        """How many people the insurer's rights held from the newest feed on that was loaded before then, or is a full file."""
        ...

    async def refuse(self, id_: str, counts: FeedCounts, refusals: Sequence[RowRefusal], at_ts_us: int) -> None:
        """The feed is refused, and changes nothing."""
        ...


class Settle(Protocol):
    """What the rights of one person become: kept rights (sealed) and rows in, sealed rights or refused lines out."""

    def __call__(
        self,
        person: bytes,
        kept: Sequence[bytes],
        rows: Sequence[tuple[bytes, int, bool, bytes]],
        given: Sequence[tuple[bytes, bytes]],
    ) -> tuple[list[bytes], Sequence[tuple[int, str]]]:
        """Sealed rights that result, and (line, code) of the rows that cannot be applied.

        `given`: rows by which a member number that stood for this person stands for another: that other, and the sealed right.
        """
        ...


class Rekeying(Protocol):
    """How stored rights follow a new index key."""

    version: int

    def carry(self, pseudonyms: Sequence[bytes], since: int) -> list[bytes]:
        """Pseudonyms of version `since`, of persons or of members, carried to `version`; in the same order."""
        ...

    def reseal(self, before: bytes, after: bytes, sealed: bytes) -> bytes:
        """A right sealed for the pseudonym `before`, sealed for `after` under the newest data key."""
        ...


class RightsWork(Protocol):
    """The making of one generation: rows are staged (and survive a kill), then built, then they answer."""

    @property
    def done(self) -> int:
        """Rows staged and committed."""
        ...

    @property
    def index_version(self) -> int:
        """The version of the index key rows are staged under, as planned."""
        ...

    def plan(self, rows: int, index_version: int) -> None:
        """The file holds this many rows, keyed under this version; what was staged under another one is thrown away."""
        ...

    def add(self, rows: list[tuple[bytes, int, bool, bytes]], members: list[tuple[bytes, bytes, int]]) -> None:
        """Stage rows (person, line, whether it ends a right, sealed) and members (member, person, line)."""
        ...

    async def build(
        self, settle: Settle, told: Callable[[int], None], *, over: bool
    ) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """Build what will answer, `over` the current rights or over nothing; durable on return.

        Who had a member number that a row gives to another person is settled too, whether rows speak of them or not: two people
        under one number would be counted as one. Counts, and refused lines: then nothing will. Raises `insurer_moving`.
        """
        ...

    async def answer(self, counts: FeedCounts, at_ts_us: int) -> None:
        """From now on what was built answers, all at once, for every process, and the feed is `loaded`."""
        ...

    async def finish(self) -> None:
        """Remove what was staged, and rights that no longer answer."""
        ...


class RightsWorks(Protocol):
    """One load at a time for each insurer, over all processes."""

    def work(self, insurer: str, feed: str) -> AbstractContextManager[RightsWork]:
        """Begin or go on with a feed's work."""
        ...

    async def index_version(self, insurer: str) -> int | None:
        """The version of the index key that the rights answering now are keyed under; None when there are none."""
        ...

    async def rekey(self, insurer: str, rekeying: Rekeying, told: Callable[[int, int], None]) -> FeedCounts | None:
        """Key the rights that answer, and their members, under `rekeying.version`; their counts, None when there are none.

        Nobody is known any more, so each stored pseudonym is carried forward (`rekeying.carry`), in batches of some thousands,
        and each right, bound to its person, is sealed again (`rekeying.reseal`). While this goes on every look-up finds its
        person: a `Person` has its pseudonym of each version, and a row is read by the version it has, never by another (a
        store may hold rows of both, or replace all at once). Killed at any moment, calling it again goes on near where it was;
        it changes nothing when all rows have the version. Durable on return. The caller holds the insurer's turn. `told` of
        rows done and rows in all.
        """
        ...

    def turn(self, insurer: str) -> AbstractAsyncContextManager[None]:
        """This insurer's turn. Raises `feed_in_progress` when another process has it, `insurer_moving` while no server has it."""
        ...


class OpenFile(Protocol):
    """One member file: `survey`, then `check`, then `rows`."""

    def survey(self, told: Callable[[int, int], None]) -> bytes:
        """SHA-256 of the bytes, `told` of progress; or the refusal of the whole file."""
        ...

    def check(self, terms: Terms) -> Checked:
        """Every row held to every check."""
        ...

    def rows(self, terms: Terms, after: int) -> Iterator[list[FeedRow]]:
        """Rows past the first `after`, in order."""
        ...


class MemberFiles(Protocol):
    """Where member files are read from."""

    def at(self, path: Path) -> AbstractContextManager[OpenFile]:
        """A file named by its path. Raises `file_unreadable`."""
        ...

    def received(self, feed: str) -> AbstractContextManager[OpenFile]:
        """A file received over HTTP."""
        ...


class Receiving(Protocol):
    """One file being received; kept only if `keep` is called inside the block."""

    def write(self, data: bytes) -> None:
        """The next bytes."""
        ...

    def keep(self) -> None:
        """It is whole; durable on return."""
        ...


class Spooled(Protocol):
    """Files received, sealed, until they are loaded."""

    def write(self, feed: str) -> AbstractContextManager[Receiving]:
        """Begin to receive a file."""
        ...

    def begin(self, feed: str) -> int:
        """Note that a load of the file begins; how many began and came to no end, with this one."""
        ...

    def begun(self, feed: str) -> int:
        """How many loads of the file began and came to no end."""
        ...

    def end(self, feed: str) -> None:
        """A load of the file came to an end: those before it no longer count."""
        ...

    def remove(self, feed: str) -> None:
        """Forget a file, and the loads of it."""
        ...

    def sweep(self, keep: Collection[str], before_ts: float) -> None:
        """Forget files last written before `before_ts` (seconds), but for those of the feeds to `keep`."""
        ...


class FeedPorts(msgspec.Struct, frozen=True):
    """What loading member files needs from outside."""

    store: FeedStore
    works: RightsWorks
    files: MemberFiles
    spool: Spooled
