"""The bound of the allowance: whatever is asked, in whatever order, an account opens no more people than the caps say."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ecluse.app.ports import Mark
from ecluse.app.ports.allowances import Ask
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.lookback import LocalLookback
from ecluse.gate.allowance import (
    DEBT_DAYS,
    FIRST_ORDINAL,
    YEAR_DAYS,
    Beginning,
    Caps,
    CapTable,
    Standing,
    in_time,
    opened,
    opened_at_most,
    spent,
)
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Operation, act
from ecluse.kernel.days import DAY_US
from tests.laws import examples

CAPS = Caps(debt=6, burst=4, refill_per_day=2, yearly=15)
TABLE = CapTable(date(2026, 11, 29), "a test", {"other": CAPS})
START_DAY = 20_000
THIEF, PLACE = "rpps:1", "750000001"


def person(number: int) -> bytes:
    return number.to_bytes(8) * 2


class Thief(RuleBasedStateMachine):
    """Asks, waits, settles, cancels, shows passes as it likes, through any of three processes of one hub; one may be killed."""

    @initialize()
    def begin(self) -> None:
        self.home = tempfile.TemporaryDirectory(prefix="ecluse-gate-")
        self.processes = [self.process() for _ in range(3)]
        self.lookback = LocalLookback(Path(self.home.name) / "gate.db")
        self.at_us = START_DAY * DAY_US
        self.told: dict[int, int] = {}  # people typed and told of, by day
        self.justified: set[int] = set()  # ever
        self.stands: set[int] = set()  # justified now: by a claim that did not come back, or a pass
        self.shown: set[int] = set()
        self.settled: dict[int, int] = {}  # on which day the claim was sent

    def process(self) -> LocalAllowances:
        return LocalAllowances(Path(self.home.name) / "gate.db", TABLE)

    def ask(self, who: int, presence: Presence = Presence.TYPED) -> Ask:
        return Ask(THIEF, PLACE, "", person(who) if who else b"", presence, self.at_us)

    @property
    def today(self) -> int:
        return self.at_us // DAY_US

    @rule(whom=st.lists(st.integers(0, 60), min_size=1, max_size=12), through=st.integers(0, 2))
    def type_in(self, whom: list[int], through: int) -> None:
        verdicts = self.processes[through].take([self.ask(who) for who in whom])
        for who, refused in zip(whom, verdicts, strict=True):
            if who in self.told or who in self.shown:
                assert not refused  # known: free, whatever the caps say
            elif who and not refused:
                assert self.weighing < CAPS.yearly  # what came back weighs as if it had never been paid
                self.told[who] = self.today

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self.at_us += hours * DAY_US // 24

    @rule(days=st.integers(20, 200))
    def wait_long(self, days: int) -> None:
        self.at_us += days * DAY_US

    @rule(data=st.data(), count=st.integers(1, 3))
    def settle_some(self, data: st.DataObject, count: int) -> None:
        if self.told:
            self.settled |= dict.fromkeys(
                data.draw(st.lists(st.sampled_from(sorted(self.told)), min_size=1, max_size=count)), self.today
            )
            self.look()

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.settled:
            del self.settled[data.draw(st.sampled_from(sorted(self.settled)))]
            self.look()

    @rule(data=st.data(), count=st.integers(1, 15), days=st.integers(60, 300))
    def cancel_late(self, data: st.DataObject, count: int, days: int) -> None:
        if self.settled:
            self.at_us += days * DAY_US
            for who in data.draw(st.permutations(sorted(self.settled)))[:count]:
                del self.settled[who]
            self.look()

    def look(self) -> None:
        lately, year = self.today - 90, self.today - YEAR_DAYS
        new = {who for who, sent in self.settled.items() if self.told[who] >= lately and sent >= lately}
        self.stands -= {who for who, day in self.told.items() if day > year} - self.settled.keys() - self.shown
        self.stands |= new
        self.justified |= new
        sent = [{person(who) for who, sent in self.settled.items() if sent >= since} for since in (lately, year - 90)]
        self.processes[0].settle(THIEF, PLACE, *sent, self.today)
        found = self.processes[1].position(THIEF, self.today)
        assert found is not None
        assert found.standing.year == self.weighing

    @property
    def weighing(self) -> int:
        """People told of within a year whom nothing justifies today."""
        return sum(day > self.today - YEAR_DAYS for who, day in self.told.items() if who not in self.stands)

    @rule(who=st.integers(1, 60), through=st.integers(0, 2))
    def show_a_pass(self, who: int, through: int) -> None:
        assert self.processes[through].take([self.ask(who, Presence.PASS)]) == [""]
        self.shown.add(who)
        if who in self.told:
            self.justified.add(who)
            self.stands.add(who)

    @rule(through=st.integers(0, 2))
    def kill(self, through: int) -> None:
        self.processes[through]._connection.close()
        self.processes[through] = self.process()

    @invariant()
    def bounded(self) -> None:
        days = self.today - START_DAY + 1
        never = len(set(self.told) - self.justified)
        assert never <= CAPS.debt * (1 + (days - 1) // DEBT_DAYS)
        assert never <= CAPS.yearly * (1 + (days - 1) // YEAR_DAYS)
        taken_us = self.at_us - START_DAY * DAY_US
        assert len(self.told) <= CAPS.burst + taken_us * CAPS.refill_per_day // DAY_US

    @invariant()
    def within_reach(self) -> None:
        """Of every window, looked at afterwards, too; justified openings that were taken back since included."""
        for since in {START_DAY, (START_DAY + self.today) // 2, max(START_DAY, self.today - DEBT_DAYS)}:
            (did,) = self.lookback.doings([THIEF], since * DAY_US, self.at_us)
            told = sum(day >= since for day in self.told.values())
            assert did.typed <= told <= opened_at_most(CAPS, self.at_us / DAY_US - since, did.justified)
        assert self.lookback.told_at([THIEF], self.at_us) == len(set(self.told) | self.shown)

    def teardown(self) -> None:
        for each in self.processes:
            each.close()
        self.home.cleanup()


Thief.TestCase.settings = examples(25, stateful_step_count=40)
test_no_thief_opens_more_than_the_caps_say = Thief.TestCase


@pytest.fixture
def gate(tmp_path: Path) -> LocalAllowances:
    return LocalAllowances(tmp_path / "gate.db", TABLE)


def asking(who: int, at_us: int = START_DAY * DAY_US, presence: Presence = Presence.TYPED) -> Ask:
    return Ask(THIEF, PLACE, "", person(who) if who else b"", presence, at_us)


def test_nobody_is_refused_as_somebody_new_would_be(gate: LocalAllowances) -> None:
    assert gate.take([asking(0)] * 50) == [""] * 50  # nobody takes nothing
    assert gate.take([asking(n) for n in range(1, 5)]) == [""] * 4
    assert gate.take([asking(5), asking(0), asking(3)]) == ["bucket", "bucket", ""]


def test_a_denied_opening_weighs_for_a_year(gate: LocalAllowances) -> None:
    assert gate.take([asking(1)]) == [""]
    assert gate.deny(THIEF, person(1), START_DAY * DAY_US)
    assert not gate.deny(THIEF, person(2), START_DAY * DAY_US)
    assert gate.by_day(THIEF) == [(START_DAY, 1, 1)]
    gate.settle(THIEF, PLACE, {person(1)}, {person(1)}, START_DAY)
    found = gate.position(THIEF, START_DAY + 200)
    assert found is not None
    assert (found.standing.debt, found.standing.year, found.opened) == (1, 1, 1)


@pytest.mark.parametrize("is_denied_first", [False, True])
def test_a_denial_is_counted_again_whichever_entry_is_read_first(gate: LocalAllowances, is_denied_first: bool) -> None:
    entry = act(Operation.RIGHTS_CHECK, START_DAY * DAY_US, "chk_1", "confirmed", account=THIEF, person=person(1))
    steps = [
        lambda: gate.recover([(entry, Mark("s", 1))]),
        lambda: gate.recover_denial(THIEF, PLACE, person(1), START_DAY, START_DAY * DAY_US),
    ]
    for step in reversed(steps) if is_denied_first else steps:
        step()
    assert gate.take([asking(2)]) == [""]
    gate.settle(THIEF, PLACE, {person(1), person(2)}, {person(1), person(2)}, START_DAY)
    found = gate.position(THIEF, START_DAY + 200)
    assert found is not None
    assert (found.standing.debt, found.standing.year, found.opened) == (1, 1, 2)


def test_an_account_counted_from_the_journal_gets_its_profession_back(tmp_path: Path) -> None:
    """Entries do not say a profession: the next token does, and the caps are its own again."""
    table = CapTable(date(2026, 11, 29), "a test", {"other": CAPS, "pharmacy": LARGE})
    gate = LocalAllowances(tmp_path / "gate.db", table)
    entry = act(Operation.RIGHTS_CHECK, START_DAY * DAY_US, "chk_1", "confirmed", account=THIEF, person=person(1))
    gate.recover([(entry, Mark("s", 1))])
    assert gate.take([msgspec.structs.replace(asking(2), profession="pharmacy")]) == [""]
    found = gate.position(THIEF, START_DAY)
    assert found is not None
    assert (found.profession, found.caps, found.opened) == ("pharmacy", LARGE, 2)


def test_an_account_that_never_asked_is_not_made_by_looking_at_it(gate: LocalAllowances) -> None:
    assert gate.practices("rpps:typo") == []
    assert gate.position("rpps:typo", START_DAY) is None
    assert gate.indebted(START_DAY + 1, 10) == []


LARGE = Caps(debt=500, burst=100, refill_per_day=100, yearly=1000)


@given(st.lists(st.integers(0, 3 * DAY_US), max_size=60))
def test_the_bucket_is_a_bucket(waits_us: list[int]) -> None:
    """GCRA against a bucket that holds fractions of a person: the same verdicts."""
    standing, at_us, tokens = Standing(), START_DAY * DAY_US, CAPS.burst * DAY_US
    for wait_us in waits_us:
        at_us += wait_us
        tokens = min(CAPS.burst * DAY_US, tokens + wait_us * CAPS.refill_per_day)
        refused = spent(standing, Caps(10**6, CAPS.burst, CAPS.refill_per_day, 10**6), at_us) == "bucket"
        assert refused == (tokens < DAY_US)
        if not refused:
            tokens -= DAY_US
            standing = opened(standing, CAPS, at_us)


BUCKETS = st.builds(Caps, st.just(10**6), st.integers(1, 60), st.integers(1, 60), st.just(10**6))


@given(
    st.fixed_dictionaries({"other": BUCKETS, "pharmacist": BUCKETS}),
    st.lists(
        st.tuples(st.integers(0, 3 * DAY_US), st.sampled_from(["other", "pharmacist"]), st.booleans()), max_size=120
    ),
    st.sampled_from([None, 1, 30]),
)
def test_a_clock_that_only_goes_forward_forgives_nothing(
    rows: dict[str, Caps], asks: list[tuple[int, str, bool]], begins_for: int | None
) -> None:
    """Whatever one account asks as, slowed or not, in a beginning and after it."""
    beginning = begins_for and Beginning(date.fromordinal(FIRST_ORDINAL + START_DAY + begins_for))
    table = CapTable(date(2026, 11, 29), "a test", rows, beginning=beginning or None)
    standing, at_us = Standing(), START_DAY * DAY_US
    for wait_us, profession, is_slowed in asks:
        at_us += wait_us
        assert in_time(standing, table.longest_us, at_us) == standing
        caps = table.of(profession, at_us // DAY_US)
        now = caps.slowed() if is_slowed else caps
        while not spent(standing, now, at_us):
            standing = opened(standing, now, at_us)


def test_a_clock_that_was_ahead_leaves_an_empty_bucket_and_not_one_that_is_empty_until_that_day(
    gate: LocalAllowances,
) -> None:
    at_us = START_DAY * DAY_US
    assert gate.take([asking(who, at_us + 300 * DAY_US) for who in range(1, 4)]) == [""] * 3
    assert gate.take([asking(who, at_us) for who in range(10, 15)]) == ["bucket"] * 5  # as if all of it were spent now
    at_us += DAY_US // CAPS.refill_per_day
    assert gate.take([asking(who, at_us) for who in range(20, 25)]) == ["", *["bucket"] * 4]
    at_us += 3 * DAY_US // CAPS.refill_per_day
    refused = gate.take([asking(who, at_us) for who in range(30, 35)])
    assert refused == ["", "", "debt", "debt", "debt"]  # six people, whenever they were opened
