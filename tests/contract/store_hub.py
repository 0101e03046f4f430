"""The stores of one hub as its processes open them: feeds loaded row by row, rights read, engagements given."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.access import seal_engagement
from ecluse.app.ports import HUB, FeedCounts, FeedRecord, RightsWork
from ecluse.coverage.product import read_product
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.stores import Stores
from ecluse.gate.admission import Admission, Person, Request
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import FORMAT, Entry, Operation
from ecluse.kernel.days import FOREVER, period
from ecluse.rights.model import Domain, Engagement, Right
from ecluse.rights.person import right_about
from tests.stores import now, open_stores

AMC, OTHER_AMC, NOWHERE = "0075123456", "0075999999", "0075000000"
PRODUCT = b'product: P\nlabel: P\nresponsible: true\nguarantees:\n- {domains: [MED], guarantee: "TM:100", label: TM}\n'
PERSONS = [bytes([number]) * 16 for number in (0, 1, 128, 255)]  # the byte 00 at the end has fooled engines before
PRACTICE, OTHER_PRACTICE = "750000018", "750000026"
LINE_OF_NEXT_PERSON = 100


class StoreHub:
    """Stores as one process opens them, for one insurer that is served; `again` opens those of another process."""

    def __init__(self, url: str, directory: Path, **settings: Any) -> None:
        warnings.simplefilter("ignore")
        self._url, self._directory, self._settings = url, directory, settings
        self.keys = KeyFile(directory / "hub.keys", "")
        for scope in (HUB, AMC, OTHER_AMC):
            self.keys.create(scope)
        self._open: list[Stores] = []
        self._instants = itertools.count(7)
        self.stores = self.again()
        now(self.stores.products.add(AMC, read_product(PRODUCT), 1))

    def again(self) -> Stores:
        opened = open_stores(self._url, self._directory, self.keys, **self._settings)
        self._open.append(opened)
        return opened

    def close(self) -> None:
        for each in self._open:
            now(each.close())

    def sealed(self, person: bytes, csr: str, contract: str = "C") -> bytes:
        days = period(date(2026, 1, 1), FOREVER)
        right = Right(contract, "M1", "P", (Domain.MED,), days, "SV", csr, True, 1)
        return self.keys.seal(AMC, msgspec.msgpack.encode(right), right_about(AMC, person))

    def begin(self, feed: str, mode: str = "full") -> None:
        record = FeedRecord(feed, AMC, mode, "loading", 1, "cli:x", False, False, FeedCounts(), feed)
        now(self.stores.feeds.begin(record))

    def load(
        self, feed: str, rows: dict[bytes, Sequence[str]], *, over: bool = False, members: bool = True
    ) -> FeedCounts:
        """A feed in which each person has these rows (their csr); the counts that were told."""
        self.begin(feed, "delta" if over else "full")
        with self.stores.works.work(AMC, feed) as work:
            self.stage(work, rows, members=members)
            return now(self.put_in_place(work, over=over))

    def stage(self, work: RightsWork, rows: dict[bytes, Sequence[str]], *, members: bool = True) -> None:
        work.plan(sum(map(len, rows.values())), 1)
        for number, (person, several) in enumerate(rows.items()):
            first = 2 + number * LINE_OF_NEXT_PERSON
            staged = [(person, first + n, False, self.sealed(person, csr)) for n, csr in enumerate(several)]
            work.add(staged, [(b"m" + person[1:], person, first)] if members else [])

    async def put_in_place(self, work: RightsWork, *, over: bool = False) -> FeedCounts:
        async with self.stores.works.turn(AMC):
            counts, refused = await work.build(self.settle, lambda _: None, over=over)
            assert refused == []
            await work.answer(counts, next(self._instants))
        await work.finish()
        return counts

    def settle(
        self, person: bytes, kept: Sequence[bytes], rows: Any, _: Any
    ) -> tuple[list[bytes], list[tuple[int, str]]]:
        """What is set adds up; a right of csr `END` leaves nothing of the person."""
        new = [row[3] for row in rows]
        ends = any(self.opened(person, each).csr == "END" for each in new)
        return ([] if ends else [*kept, *new]), []

    def opened(self, person: bytes, sealed: bytes) -> Right:
        return msgspec.msgpack.decode(self.keys.open(AMC, sealed, right_about(AMC, person)), type=Right)

    async def read(
        self, key: bytes, *, insurer: str = AMC, by_member: bool = False, stores: Stores | None = None
    ) -> list[str]:
        """The csr of every right found."""
        about = Person(insurer, (key,), by_member)
        return [right.csr for right in await (stores or self.stores).rights.rights(admission(about))]


async def recovered(stores: Stores) -> None:
    """As a hub begins to answer: what the journal has past the marks, here nothing, was copied."""
    await stores.rights.marks()
    stores.rights.caught_up()


def admission(about: Person | str, practice: str = PRACTICE) -> Admission:
    asked = Request(Account("rpps:1", practice), "chk_1")
    return Admission(asked, Operation.RIGHTS_CHECK, about, Presence(0), datetime(2026, 11, 23, tzinfo=UTC))


def engagement(number: str, person: bytes = PERSONS[0]) -> Engagement:
    days = date(2026, 11, 23), date(2026, 12, 23)
    return Engagement(number, AMC, person, PRACTICE, "rpps:1", Domain.MED, *days, ())


def entry(hub: StoreHub, number: str) -> Entry:
    sealed = seal_engagement(hub.keys, engagement(number))
    told = (1, Operation.RIGHTS_CHECK, "rpps:1", PRACTICE, AMC, b"p" * 16, 0, 1, "confirmed", number, "chk_1", sealed)
    return Entry(FORMAT, *told)
