"""Loading a member file, from its bytes to the rights that answer.

1. Survey: every byte once; encoding, lines, digest. The same file for the same purpose is the same feed: done once.
2. Check: every row against every check. One refused row refuses the file; the old rights go on answering.
3. Stage: NIR and birth date become keyed pseudonyms and are forgotten, the right is sealed; progress is committed with
   the rows, so a killed load goes on where it was.
4. Build: rows of a person meet (twice the same, overlaps, changes of a delta) and become the next generation's file; one that
   would leave most members without rights is refused, unless the operator says that it is meant.
5. Record in the journal, then answer from the new generation, in one transaction.
All or nothing: until 5 nothing answers from the file; after it everything does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

import msgspec

from ecluse.app.aside import aside
from ecluse.app.at_once import Kind
from ecluse.app.containment import check_open
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB, FeedCounts, FeedRecord, Keys, OpenFile, RightsWork
from ecluse.app.settling import Settling
from ecluse.formats.feed.checks import BESIDE
from ecluse.formats.feed.file import (
    FILE_BYTES_MAX,
    FILE_EMPTY,
    FILE_TOO_LARGE,
    REFUSALS_MAX,
    FeedRow,
    Mode,
    RowRefusal,
    Standing,
    Terms,
)
from ecluse.formats.feed.shrinking import FEED_SHRINKS, shrinks
from ecluse.formats.feed.told import UNFIT_FILES_MAX, unfit
from ecluse.gate.admission import Request
from ecluse.gate.identity import FORBIDDEN, permit
from ecluse.journal.entry import Operation, act
from ecluse.kernel.days import DAY_US, paris_day
from ecluse.kernel.errors import NOT_FOUND, Refused, refusal
from ecluse.kernel.ids import amc
from ecluse.rights.person import member_message, nir_message, right_about

COMMIT_ROWS = 131_072  # staged in one transaction: a second or two of work is all that a kill can lose

PRODUCTS_MISSING = refusal(
    "products_missing",
    409,
    "No guarantee table of this insurer is loaded",
    fix="Load its products first: ecluse product load FILE.yaml --insurer AMC.",
)

# Loads of one received file that break or are killed before it is refused: what passes by itself has passed by then. A hub that
# is stopped in the middle of a file counts too; stopped five times in the minutes of one file is no habit.
LOADS_MAX = 5

NOT_LOADED = refusal(
    "feed_not_loaded",
    422,
    "Loading the file broke on our side each time",
    fix="Tell the operator of the hub, whose log says where; then send it again, with another Idempotency-Key.",
)

DELTAS_UNFIT = refusal(
    "deltas_unfit",
    429,
    "Too many deltas of this insurer did not fit what the hub holds",
    fix="Send a full file; or wait a day, or ask the operator of the hub for the rows.",
    retry_s=86_400,
)

# A file, and the same again after a network that broke. For all there are as many places as at the door (doors/http/front.py).
RECEIVING = Kind("feeds", own_max=2, all_max=8)

_encode = msgspec.msgpack.Encoder().encode


class FeedLoaded(msgspec.Struct, frozen=True):
    """The outcome of a feed, for the journal: what was loaded or refused, never what was in it."""

    id: str
    account: str
    insurer: str
    mode: str
    state: str
    digest: str
    counts: FeedCounts
    at_ts_us: int
    unfit: int = 0  # refusals that may depend on what is held


Record = Callable[[FeedLoaded], Awaitable[None]]
Progress = Callable[[str, int, int], None]  # step, done, of


class Order(msgspec.Struct, frozen=True):
    """What is asked: whose file it is, what it says, whether unknown columns are dropped, who asks, and whether most members may
    lose their rights by it."""

    insurer: str
    mode: Mode
    drop_unknown: bool = False
    account: str = "operator"
    shrink: bool = False


async def load_file(hub: Hub, file: OpenFile, order: Order, record: Record, told: Progress) -> FeedRecord:
    """Load a file named on the command line, or go on with it, or find that it was loaded: its feed.

    Raises the refusal of a file that is refused as a whole; refused rows are in the feed.
    """
    terms = await terms_of(hub, order)
    async with hub.feeds.works.turn(order.insurer):
        read = await aside(file.survey, lambda done, of: told("reading", done, of))
        digest = content_digest(hub, terms, read)
        id_ = await hub.feeds.store.same(order.insurer, order.mode, digest)
        if id_ is None:
            id_ = hub.ids.new("fee_")
            await hub.feeds.store.begin(new_feed(hub, id_, order, digest, spooled=False, state="loading"))
        feed = await find(hub, id_)
        if feed.state in ("received", "loading"):
            async with _refusing(hub, feed, record):
                await _load(hub, feed, file, terms, record, told)
    hub.feeds.spool.remove(id_)  # the same file may have been received over HTTP too
    return await find(hub, id_)


async def load_received(hub: Hub, id_: str, record: Record, told: Progress) -> FeedRecord:
    """Load a feed received over HTTP, or go on with it. Raises the refusal of a file that is refused as a whole; one that breaks
    whoever loads it is refused as `feed_not_loaded` in the end."""
    feed = await find(hub, id_)
    async with hub.feeds.works.turn(feed.insurer):
        with hub.feeds.files.received(id_) as file:
            await hub.feeds.store.load(id_)
            async with _refusing(hub, feed, record):
                _check_open(hub, feed)
                if hub.feeds.spool.begin(id_) > LOADS_MAX:
                    raise NOT_LOADED(f"{LOADS_MAX} times")
                terms = await terms_of(hub, Order(feed.insurer, Mode(feed.mode), feed.drop_unknown))
                await aside(file.survey, lambda done, of: told("reading", done, of))
                await _load(hub, feed, file, terms, record, told)
    hub.feeds.spool.remove(id_)
    return await find(hub, id_)


async def receive_file(hub: Hub, asked: Request, order: Order, key: str, body: AsyncIterator[bytes]) -> FeedRecord:
    """Spool a file sent over HTTP, sealed; loading is the loader's. The same file, or the same `key`, is the same feed.

    Raises `forbidden`, `products_missing`, `feeds_waiting`, `deltas_unfit`, `too_many_at_once`, `file_too_large`, `file_empty`,
    `spool_full`, `idempotency_key_reused`.
    """
    own_insurer(asked, order.insurer)
    terms = await terms_of(hub, order)
    await hub.feeds.store.check_room(order.insurer)  # before its bytes take room; asked again once they are here
    if order.mode == Mode.DELTA and asked.account.insurer:  # the operator sees every row anyway
        await _check_fits(hub, order.insurer)
    id_, content, size = asked.id, sha256(), 0
    with hub.at_once.one(RECEIVING, order.insurer), hub.feeds.spool.write(id_) as spool:
        async for block in body:
            size += len(block)
            if size > FILE_BYTES_MAX:
                raise FILE_TOO_LARGE(f"more than {FILE_BYTES_MAX >> 30} GiB")
            content.update(block)
            spool.write(block)
        if not size:
            raise FILE_EMPTY("the file has no bytes")
        spool.keep()
    digest = content_digest(hub, terms, content.digest())
    feed = new_feed(hub, id_, order, digest, spooled=True, state="received")
    what = _encode((content.digest(), order.mode, order.drop_unknown))
    same = id_
    try:
        same = await hub.feeds.store.receive(
            feed,
            hub.keys.digest(HUB, b"feed key|" + key.encode()) if key else b"",
            hub.keys.digest(HUB, b"feed body|" + what),
        )
    except Refused:
        hub.feeds.spool.remove(id_)
        raise
    if same != id_:
        hub.feeds.spool.remove(id_)
    return await find(hub, same)


async def _check_fits(hub: Hub, insurer: str) -> None:
    """Raise `deltas_unfit` when as many deltas of the last day did not fit what is held as may."""
    since_ts_us = hub.now_ts_us - DAY_US
    if await hub.feeds.store.unfit(insurer, since_ts_us) >= UNFIT_FILES_MAX:
        raise DELTAS_UNFIT(f"{UNFIT_FILES_MAX} in a day")


async def own_feed(hub: Hub, asked: Request, id_: str) -> FeedRecord:
    """A feed of the insurer who asks, or any for the operator; `not_found` for every other."""
    permit(asked.account, "feeds")
    feed = await hub.feeds.store.feed(id_)
    if feed is None or asked.account.insurer not in ("", feed.insurer):
        raise NOT_FOUND()
    if not asked.account.insurer:
        permit(asked.account, "operate")
    return feed


def own_insurer(asked: Request, insurer: str) -> None:
    """An insurer's account loads its own members only; without insurer, the account must be the operator's."""
    permit(asked.account, "feeds")
    if not asked.account.insurer:
        permit(asked.account, "operate")
    elif asked.account.insurer != insurer:
        raise FORBIDDEN("this account belongs to another insurer")


async def find(hub: Hub, id_: str) -> FeedRecord:
    """A feed that must be there."""
    feed = await hub.feeds.store.feed(id_)
    assert feed is not None, id_
    return feed


def journalled(hub: Hub) -> Record:
    """Writes outcomes of feeds into the journal, durably, before anything is answered from them."""

    async def record(loaded: FeedLoaded) -> None:
        held = f" {loaded.counts.persons} people held" if loaded.state == "loaded" else ""
        misfit = f" {loaded.unfit} do not fit what is held" if loaded.unfit else ""
        outcome = f"{loaded.state} {loaded.mode} {loaded.digest} {loaded.counts.rows} rows{held}{misfit}"
        told = act(
            Operation.FEED_LOADED, loaded.at_ts_us, loaded.id, outcome, account=loaded.account, insurer=loaded.insurer
        )
        await hub.desk.record(told)

    return record


async def terms_of(hub: Hub, order: Order) -> Terms:
    """What the file is read against. Raises `amc_invalid`, `products_missing`."""
    amc(order.insurer)
    products = frozenset(await hub.products.names(order.insurer))
    if not products:
        raise PRODUCTS_MISSING()
    hub.keys.create(order.insurer)
    today = paris_day(hub.clock.now())
    return Terms(order.insurer, order.mode, products, today, order.drop_unknown, order.shrink)


def content_digest(hub: Hub, terms: Terms, content: bytes) -> str:
    """What makes two files the same feed: bytes, insurer, mode, options, products.

    Keyed, for bytes tell of people; by the insurer's key: once that is destroyed, the same file is to be loaded again.
    """
    about = _encode((content, terms.insurer, terms.mode, terms.drop_unknown, sorted(terms.products)))
    return hub.keys.digest(terms.insurer, b"feed|" + about).hex()


def new_feed(hub: Hub, id_: str, order: Order, digest: str, *, spooled: bool, state: str) -> FeedRecord:
    """A feed that begins now."""
    return FeedRecord(
        id=id_,
        insurer=order.insurer,
        mode=order.mode,
        state=state,
        received_ts_us=hub.now_ts_us,
        account=order.account,
        drop_unknown=order.drop_unknown,
        spooled=spooled,
        counts=FeedCounts(),
        digest=digest,
    )


@asynccontextmanager
async def _refusing(hub: Hub, feed: FeedRecord, record: Record) -> AsyncIterator[None]:
    """A file refused as a whole becomes a feed refused at line 1, then the refusal goes on; a failure of ours does not."""
    try:
        yield
    except Refused as whole:
        hub.feeds.spool.end(feed.id)  # said, and why: only what broke or was killed counts
        if whole.refusal.status < 500:
            refusal = RowRefusal(1, "", whole.code, whole.detail, whole.fix)
            await _refuse(hub, feed, FeedCounts(refusals_total=1), [refusal], record)
            with hub.feeds.works.work(feed.insurer, feed.id) as work:
                await work.finish()
            hub.feeds.spool.remove(feed.id)
        raise


async def _load(hub: Hub, feed: FeedRecord, file: OpenFile, terms: Terms, record: Record, told: Progress) -> None:
    """Steps 2 to 5."""
    with hub.feeds.works.work(feed.insurer, feed.id) as work:
        told("checking", 0, 0)
        checked = await aside(file.check, terms)
        counts = FeedCounts(checked.rows, checked.refused_rows, checked.refusals_total)
        if checked.refusals_total:
            await _refuse(hub, feed, counts, checked.refusals, record)
        else:
            work.plan(checked.rows, await _version(hub, feed))
            await _stage(hub.keys, file, terms, work, lambda done: told("sealing", done, checked.rows))
            rows = None if terms.shrink else checked.standing
            await _build(hub, feed, work, rows, record, lambda done: told("building", done, checked.rows))
        await work.finish()


async def _version(hub: Hub, feed: FeedRecord) -> int:
    """A delta is keyed as the rights it changes; a full file by the newest index key, which ends a rotation under way."""
    kept = await hub.feeds.works.index_version(feed.insurer) if feed.mode == Mode.DELTA else None
    return kept or hub.keys.index_version(feed.insurer)


async def _build(
    hub: Hub, feed: FeedRecord, work: RightsWork, rows: Standing | None, record: Record, told: Callable[[int], None]
) -> None:
    """Steps 4 and 5; with the days of its `rows`, the file may not leave most members without rights."""
    settle = Settling(hub.keys, feed.insurer)
    counts, refused = await work.build(settle, told, over=feed.mode == Mode.DELTA)
    if refused:
        lines = sorted(set(refused))
        counts = FeedCounts(counts.rows, len({line for line, _ in lines}), len(lines))
        told_of = [BESIDE[code].refusal(line) for line, code in lines[:REFUSALS_MAX]]
        await _refuse(hub, feed, counts, told_of, record, unfit([code for _, code in lines], feed.mode))
        return
    if rows and shrinks(Mode(feed.mode), await hub.feeds.store.people(feed.insurer), counts.persons, rows):
        raise FEED_SHRINKS()
    _check_open(hub, feed)  # a load takes minutes, in which somebody may have looked
    now_ts_us = hub.now_ts_us
    await record(FeedLoaded(feed.id, feed.account, feed.insurer, feed.mode, "loaded", feed.digest, counts, now_ts_us))
    await work.answer(counts, now_ts_us)


def _check_open(hub: Hub, feed: FeedRecord) -> None:
    """Hold who sent it to where they stand now, whenever they logged in. Raises `account_quarantined`."""
    check_open(hub, feed.account, hub.now_ts_us // 1_000_000)


async def _stage(keys: Keys, file: OpenFile, terms: Terms, work: RightsWork, told: Callable[[int], None]) -> None:
    """Step 3, block by block in a thread: minutes of a core, in which connections are made and time limits run."""
    told(work.done)
    blocks = _staged(keys, file, terms, work)
    while (done := await aside(next, blocks, None)) is not None:
        told(done)


def _staged(keys: Keys, file: OpenFile, terms: Terms, work: RightsWork) -> Iterator[int]:
    """Rows staged, after each block. The only place where NIRs and birth dates pass through Python; none outlives its batch."""
    rows: list[tuple[bytes, int, bool, bytes]] = []
    members: list[tuple[bytes, bytes, int]] = []
    line = work.done + 1
    for some in file.rows(terms, work.done):
        _seal(keys, terms.insurer, work.index_version, some, line, rows, members)
        line += len(some)
        if len(rows) >= COMMIT_ROWS:
            work.add(rows, members)
            rows, members = [], []
        yield work.done
    work.add(rows, members)
    yield work.done


def _seal(
    keys: Keys,
    insurer: str,
    version: int,
    some: Sequence[FeedRow],
    line: int,
    rows: list[tuple[bytes, int, bool, bytes]],
    members: list[tuple[bytes, bytes, int]],
) -> None:
    """Rows read after `line`, pseudonymised in one go (the key may be a network away) and sealed."""
    persons = keys.pseudonyms(insurer, [nir_message(nir, born, rank) for nir, born, rank, *_ in some], version)
    numbers = keys.pseudonyms(
        insurer, [member_message(member, born, rank) for _, born, rank, member, *_ in some], version
    )
    seal = keys.seal
    for person, number, row in zip(persons, numbers, some, strict=True):
        _, _, _, member, contract, product, domains, start, end, kind, csr, fair, priority, ends = row
        line += 1
        plain = _encode((contract, member, product, domains.split(), (start, end), kind, csr, fair, priority))
        rows.append((person, line, ends, seal(insurer, plain, right_about(insurer, person))))
        if not ends:
            members.append((number, person, line))


async def _refuse(
    hub: Hub,
    feed: FeedRecord,
    counts: FeedCounts,
    refusals: Sequence[RowRefusal],
    record: Record,
    misfits: int = 0,
) -> None:
    now_ts_us = hub.now_ts_us
    about = (feed.id, feed.account, feed.insurer, feed.mode)
    await record(FeedLoaded(*about, "refused", feed.digest, counts, now_ts_us, misfits))
    await hub.feeds.store.refuse(feed.id, counts, refusals, now_ts_us)
