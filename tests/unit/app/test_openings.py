"""What an insurer is told of first looks: everything, whatever is written or lost between two pages; repeats have the same id."""

from __future__ import annotations

import base64
import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from pyrage.x25519 import Identity

from ecluse.app.following import follow
from ecluse.app.openings import page_of
from ecluse.app.ports.journal import Head
from ecluse.engines.age import Age
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.local import LocalLog
from ecluse.engines.local.reading import LocalShards
from ecluse.engines.sqlite.openings import LocalOpenings
from ecluse.gate.openings import Cursor, Reached, advanced, id_text, read_cursor, read_id, write_cursor
from ecluse.journal.entry import Operation, act, encode
from ecluse.kernel.errors import Refused
from tests.journal import open_log
from tests.laws import examples

INSURER, OTHER = "0075123456", "0075999999"
KEY = Identity.generate()
SHARDS = ("2026-10-w0", "2026-11-w0", "2026-11-w1", "2026-12-w0")


@pytest.fixture(scope="module", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    Feed.keys = KeyFile(tmp_path_factory.mktemp("keys") / "hub.keys", "")
    for insurer in (INSURER, OTHER):
        Feed.keys.create(insurer)


class Written:
    """The journal's shards, in memory."""

    def __init__(self) -> None:
        self.shards: dict[str, list[bytes]] = {name: [] for name in SHARDS[:2]}
        self.frozen: set[str] = set()

    def heads(self) -> list[Head]:
        return [Head(name, len(entries), "", name in self.frozen) for name, entries in sorted(self.shards.items())]

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        return iter(self.shards[shard][start:end])


class Feed(RuleBasedStateMachine):
    """Accounts look at people through several writers; an insurer reads pages as it likes; its index lags, or is lost."""

    keys: KeyFile

    @initialize()
    def begin(self) -> None:
        self.home = tempfile.TemporaryDirectory(prefix="ecluse-openings-")
        self.index = LocalOpenings(Path(self.home.name))
        self.written = Written()
        self.at_us = 1_790_000_000_000_000
        self.cursor = ""
        self.told: Counter[str] = Counter()
        self.due: set[tuple[str, bytes]] = set()
        self.is_disturbed = False  # a loss, or writers whose clocks differ: repeats may come

    @property
    def hub(self) -> Any:
        ports = SimpleNamespace(shards=self.written, envelopes=Age())
        store = SimpleNamespace(professions=lambda accounts: dict.fromkeys(accounts, "doctor"))
        return SimpleNamespace(
            openings=self.index, exposure=ports, keys=self.keys, allowance=SimpleNamespace(store=store)
        )

    @rule(
        looks=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 6), st.booleans()), max_size=12),
        ahead_s=st.integers(-5, 60),
    )
    def look(self, looks: list[tuple[int, int, int, bool]], ahead_s: int) -> None:
        self.is_disturbed |= ahead_s < 0
        self.at_us += ahead_s * 1_000_000
        for writer, account, person, is_other in looks:
            shard = SHARDS[writer]
            if shard in self.frozen_or_absent:
                continue
            insurer, reference = OTHER if is_other else INSURER, bytes([person + 1]) * 16
            entry = act(
                Operation.RIGHTS_CHECK, self.at_us, "chk_1", "confirmed",
                account=f"rpps:{account}", insurer=insurer, person=reference,
            )  # fmt: skip
            self.written.shards[shard] += [encode(act(Operation.QUOTE, self.at_us, "quo_1", "")), encode(entry)]
            if not is_other:
                self.due.add((f"rpps:{account}", reference))

    @property
    def frozen_or_absent(self) -> set[str]:
        return self.written.frozen | (set(SHARDS) - set(self.written.shards))

    @rule()
    def another_writer(self) -> None:
        self.written.shards.setdefault(SHARDS[2], [])

    @rule()
    def another_month(self) -> None:
        self.written.shards.setdefault(SHARDS[3], [])
        self.written.frozen.add(SHARDS[0])

    @rule(entries=st.integers(1, 9))
    def follow_some(self, entries: int) -> None:
        follow(self.hub, entries)
        self.is_disturbed = True  # shards are followed one after the other: a later look may be met first

    @rule()
    def lose_the_index(self) -> None:
        self.index.close()
        for file in Path(self.home.name).iterdir():
            file.unlink()
        self.index = LocalOpenings(Path(self.home.name))
        self.is_disturbed = True

    @rule(limit=st.integers(1, 5))
    def read_some(self, limit: int) -> None:
        self.read(limit)

    def read(self, limit: int) -> bool:
        page = page_of(self.hub, INSURER, read_cursor(self.cursor), limit, str(KEY.to_public()))
        rows = list(csv.DictReader(io.StringIO(Age().open(str(KEY), page.sealed).decode()))) if page.sealed else []
        assert len(rows) == page.openings <= limit
        for row in rows:
            assert (row["profession"], row["presence"], row["operation"]) == ("doctor", "typed", "rights_check")
            self.told[row["opening"]] += 1
        self.cursor = page.cursor
        return page.has_more

    def teardown(self) -> None:
        if not hasattr(self, "index"):
            return
        while self.read(3):
            pass
        wanted = {
            id_text(self.keys.digest(INSURER, b"opening|1|" + person + account.encode()))
            for account, person in self.due
        }
        assert set(self.told) == wanted  # nothing skipped, and nobody else's
        if not self.is_disturbed and len(self.written.shards) == 2:
            assert set(self.told.values()) <= {1}
        self.index.close()
        self.home.cleanup()


TestFeed = Feed.TestCase
TestFeed.settings = examples(60, stateful_step_count=25)


def spelt(cursor: bytes) -> str:
    return base64.urlsafe_b64encode(cursor).decode().rstrip("=")


BEYOND = [spelt(msgspec.msgpack.encode(["", {"2026-11-w0": place}])) for place in (2**64 - 1, 2**63, 2**62 + 1, -1)]
NESTED = spelt(b"\x93\xa0\x80" + b"\x91" * 2900 + b"\x90")


@pytest.mark.parametrize("text", ["x", "AAAA", "é", "-" * 5000, "kgA", "\x00", *BEYOND, NESTED])
def test_a_cursor_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="cursor_invalid"):
        read_cursor(text)


def test_a_cursor_stays_short_over_the_years() -> None:
    """Shards that are over are left out, those still written to are kept; what is left out is wholly told."""
    cursor = Cursor()
    for month in range(36):
        names = [f"{2026 + month // 12}-{month % 12 + 1:02}-w{writer}" for writer in range(8)]
        told = {**dict.fromkeys(cursor.at, Reached(500, True)), **dict.fromkeys(names, Reached(500, False))}
        cursor = read_cursor(write_cursor(advanced(cursor, told)))
        assert all(cursor.start(name) == 500 for name in names)
    assert len(write_cursor(cursor)) < 400
    assert cursor.start("2026-03-w0") is None
    assert cursor.start("2030-01-w0") == 0


@pytest.mark.parametrize(
    "text", ["", "opn_", "opn_zz", "chk_" + "0" * 32, "opn_" + "0" * 31 + "é", "opn_" + "0" * 31 + " "]
)
def test_what_is_no_opening_names_none(text: str) -> None:
    assert read_id(text) is None


@pytest.fixture
def feed() -> Iterator[Feed]:
    made = Feed()
    made.begin()
    yield made
    made.index.close()
    made.home.cleanup()


def test_an_opening_met_first_at_the_later_writer_is_told_after_the_index_was_lost(feed: Feed) -> None:
    """Made anew, the index meets the other entry first; it must place the opening where the cursor has not been yet."""
    feed.another_writer()
    feed.look([(2, 0, 0, False)], 0)  # at the second writer
    follow(feed.hub)
    feed.look([(1, 0, 0, False), (1, 1, 1, False), (1, 1, 2, False)], 1)  # again at the first, and others
    feed.read(1)  # a page that ends at the first writer, past the repeat
    feed.lose_the_index()
    feed.is_disturbed = False
    while feed.read(1):
        pass
    assert len(feed.told) == len(feed.due) == 3


def test_pages_read_while_two_writers_go_on_lack_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    """Real logs: each writer has its shard, and an insurer reads whatever is signed so far."""
    clock = count(1_790_000_000_000_000, 1_000_000)
    logs = [open_log(tmp_path / "journal") for _ in range(2)]
    for log in logs:
        log.append([encode(act(Operation.QUOTE, next(clock), "quo_1", ""))])  # each takes its slot

    def write(log: LocalLog, first: int) -> None:
        for number in range(first, first + 60):
            looked = act(
                Operation.RIGHTS_CHECK, next(clock), "chk_1", "confirmed",
                account="rpps:1", insurer=INSURER, person=number.to_bytes(16),
            )  # fmt: skip
            log.append([encode(looked)] * 2)

    feed = Feed()
    feed.begin()
    feed.written = LocalShards(tmp_path / "journal")  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as writers:
        writing = [writers.submit(write, log, first) for log, first in zip(logs, (1, 1_001), strict=True)]
        while not all(each.done() for each in writing):
            feed.read(7)
        for each in writing:
            each.result()
    while feed.read(7):
        pass
    assert (len(feed.told), set(feed.told.values())) == (120, {1})
    for log in logs:
        log.close()
    feed.index.close()
    feed.home.cleanup()
