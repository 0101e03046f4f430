"""Counting an exposure: laws that hold for any evidence, and the cases that decide a category, a bound, a place."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.exposure.answer import Evidence, Exposure, ReadTo, answer, own_part
from ecluse.exposure.categories import Category, category
from ecluse.exposure.gaps import Bounds, Loss, bounded, gaps, month_of, once, read_loss
from ecluse.exposure.places import departement
from ecluse.exposure.question import Question
from ecluse.exposure.reach import Held, Room, referenced, within_reach
from ecluse.exposure.shown import Shown, disclosures, field_names
from ecluse.gate.allowance import Caps
from ecluse.journal.entry import Field
from ecluse.kernel.days import DAY_US

QUESTION = Question(accounts=("rpps:1",), start_ts_us=100, end_ts_us=200)
INSURERS = ("0075123456", "0075123457", "0075123458")
ALL_FIELDS = (1 << 13) - 1

sets = st.lists(st.tuples(st.integers(1, ALL_FIELDS), st.integers(1, 5)), min_size=1, max_size=3).map(tuple)
people = st.builds(
    Shown,
    insurer=st.sampled_from(INSURERS),
    person=st.binary(min_size=16, max_size=16),
    fields=st.integers(1, ALL_FIELDS),
    first_ts_us=st.just(100),
    last_ts_us=st.just(199),
    times=st.integers(1, 9),
    typed=st.integers(0, 9),
    billed=st.booleans(),
    told=sets,
)
losses = st.lists(st.builds(Loss, st.just("2026-11-w0"), st.integers(1, 99), st.just(100), st.just(150)), max_size=3)


def counted(
    shown: list[Shown],
    lost: tuple[Loss, ...] = (),
    held: dict[str, int] | None = None,
    within_reach: int | None = None,
) -> Exposure:
    found = Evidence(
        shown=shown,
        told={
            insurer: [told for each in shown if each.insurer == insurer for told in each.told] for insurer in INSURERS
        },
        days={INSURERS[0]: {"2026-11-02": 3}},
        accounts={INSURERS[0]: {"rpps:1": 3}},
        practices={INSURERS[0]: {"370000028": 2, "12345678900011": 1}},
        lists_shown=0,
        losses=lost,
        referenced=held or {},
        within_reach=within_reach,
        read_to=(ReadTo("2026-11-w0", 5),),
        billed_within_days=30,
    )
    return answer("exp_1", QUESTION, found)


@given(st.lists(people, max_size=40, unique_by=lambda one: (one.insurer, one.person)), losses)
def test_the_whole_is_the_sum_of_its_parts_and_categories_leave_nobody_out(
    shown: list[Shown], lost: list[Loss]
) -> None:
    exposure = counted(shown, tuple(lost))
    parts = [part.displayed for part in exposure.insurers]
    assert exposure.displayed.people == bounded(len(shown), lost)
    assert sum(part.people.at_least for part in parts) == len(shown)
    assert sum(exposure.displayed.categories.values()) == len(shown)
    assert exposure.displayed.times == sum(each.times for each in shown)
    assert max(exposure.displayed.fields.values(), default=0) <= len(shown)
    for bit in Field:
        showing = sum(bool(each.fields & bit) for each in shown)
        assert exposure.displayed.fields.get(str(bit.name).lower(), 0) == showing
        times = sum(entries for each in shown for fields, entries in each.told if fields & bit)
        assert exposure.displayed.disclosures.get(str(bit.name).lower(), 0) == times


@given(
    st.lists(people, max_size=20, unique_by=lambda one: (one.insurer, one.person)),
    st.integers(20, 90),
    st.none() | st.integers(0, 200),
)
def test_displayed_is_within_reachable_and_that_within_referenced(
    shown: list[Shown], held: int, within_reach: int | None
) -> None:
    """The bound is of all insurers together: it is not added up."""
    whole = counted(shown, held=dict.fromkeys(INSURERS, held), within_reach=within_reach)
    for part in (whole, *whole.insurers):
        assert part.referenced is not None
        assert part.reachable is not None
        assert part.displayed.people.at_least <= part.reachable <= part.referenced
    expected = 3 * held if within_reach is None else min(3 * held, max(within_reach, len(shown)))
    assert whole.reachable <= expected


CAPS = Caps(debt=183, burst=61, refill_per_day=45, yearly=549)


@pytest.mark.parametrize(
    ("room", "people"),
    [
        (Room(CAPS, 3_600_000_000, 45, 0), 18),  # an hour: 61 + 45/24 could be opened, 45 were
        (Room(CAPS, 10 * DAY_US, 0, 7), 190),  # ten days: the debt, and seven who were justified
        (Room(CAPS, 400 * DAY_US, 0, 0), 1_098),  # two budgets of a year
        (Room(CAPS, -1, 0, 0), 0),  # held to presence before the window began
        (Room(CAPS, DAY_US, 300, 0), 0),  # more than this table lets: another one held once
    ],
)
def test_what_one_account_could_still_have_opened(room: Room, people: int) -> None:
    assert room.people == people


def test_several_accounts_and_what_was_told_at_their_practices_add_up() -> None:
    assert within_reach(200, [Room(CAPS, DAY_US, 100, 0), Room(CAPS, DAY_US, 0, 0)]) == 200 + 6 + 106


@given(st.lists(people, max_size=20, unique_by=lambda one: (one.insurer, one.person)))
def test_an_insurer_sees_its_own_part_and_nothing_of_the_others(shown: list[Shown]) -> None:
    whole = counted(shown, held=dict.fromkeys(INSURERS, 1000))
    own = own_part(whole, INSURERS[1])
    assert own.insurers == tuple(part for part in whole.insurers if part.insurer == INSURERS[1])
    assert own.displayed.people.at_least == sum(each.insurer == INSURERS[1] for each in shown)
    assert own.referenced == 1000
    text = msgspec.json.encode(own).decode()
    assert not any(other in text for other in (INSURERS[0], INSURERS[2]))


@given(st.lists(people, max_size=20, unique_by=lambda one: (one.insurer, one.person)))
def test_an_answer_kept_is_read_back_the_same(shown: list[Shown]) -> None:
    exposure = counted(shown)
    assert msgspec.json.decode(msgspec.json.encode(exposure), type=Exposure) == exposure


def one(typed: int, *, billed: bool) -> Shown:
    return Shown("0075123456", b"p" * 16, 1, 100, 199, 2, typed, billed)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (one(0, billed=False), Category.PRESENT),
        (one(1, billed=True), Category.BILLED),
        (one(1, billed=False), Category.UNEXPLAINED),
    ],
)
def test_the_first_category_that_holds_is_the_one(shown: Shown, expected: Category) -> None:
    assert category(shown) is expected


@pytest.mark.parametrize(
    ("since", "until", "counts"),
    [
        (0, 99, False),  # accepted before the window begins: whatever was lost came earlier
        (0, 100, True),
        (150, 160, True),
        (199, 900, True),
        (200, 900, False),  # the last entry that was kept is later than the window
    ],
)
def test_a_loss_counts_when_what_was_lost_can_have_been_written_in_the_window(
    since: int, until: int, counts: bool
) -> None:
    loss = Loss("2026-11-w0", 7, since, until)
    found = gaps([loss], QUESTION)
    assert found == ((loss,) if counts else ())
    assert bounded(10, found) == Bounds(10, 17 if counts else 10)


def test_what_an_operator_accepted_is_read() -> None:
    assert read_loss("2026-11-w0 120 7 150", 190) == Loss("2026-11-w0", 7, 150, 190)


def test_a_loss_accepted_again_counts_once() -> None:
    first, again, other = Loss("2026-11-w0", 7, 1, 50), Loss("2026-11-w0", 7, 1, 90), Loss("2026-11-w1", 2, 1, 60)
    assert sorted(once([again, other, first]), key=lambda each: each.shard) == [first, other]


@pytest.mark.parametrize(("shard", "days"), [("2026-12-w3", 31), ("2028-02-w0", 29)])
def test_a_shard_has_a_month(shard: str, days: int) -> None:
    start, end = month_of(shard)
    assert end - start == days * 86_400_000_000


A, B = INSURERS[:2]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([Held(A, 50, 10)], {A: 10}),  # loaded before: still held
        ([Held(A, 50, 10), Held(A, 90, 4)], {A: 4}),  # replaced before the window
        ([Held(A, 50, 10), Held(A, 150, 4)], {A: 10}),  # replaced in it
        ([Held(A, 50, 10), Held(A, 150, 40)], {A: 40}),
        ([Held(A, 200, 10)], {}),  # loaded after it
        ([Held(B, 150, 3), Held(A, 50, 10)], {A: 10, B: 3}),
    ],
)
def test_referenced_is_the_most_held_at_one_time_in_the_window(held: list[Held], expected: dict[str, int]) -> None:
    assert referenced(held, QUESTION) == expected
    narrowed = msgspec.structs.replace(QUESTION, insurers=(B,))
    assert referenced(held, narrowed) == {insurer: n for insurer, n in expected.items() if insurer == B}


@pytest.mark.parametrize(
    ("practice", "code"),
    [
        ("370000028", "37"), ("2A0000014", "2A"), ("970408589", "974"), ("980500003", "976"), ("750712184", "75"),
        ("200000001", ""), ("990000001", ""), ("970900001", ""), ("12345678900011", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_practice_is_where_its_number_says(practice: str, code: str) -> None:
    assert departement(practice) == code


def test_a_field_told_again_is_another_disclosure() -> None:
    told = [(Field.OUTCOME | Field.CSR, 2), (Field.OUTCOME.value, 1)]
    assert disclosures(told) == {"outcome": 3, "csr": 2}


def test_an_answer_kept_from_before_disclosures_were_counted_is_read() -> None:
    kept = msgspec.to_builtins(counted([]))
    del kept["displayed"]["disclosures"]
    assert msgspec.convert(kept, Exposure).displayed.disclosures == {}


@given(st.integers(0, (1 << 16) - 1))
def test_every_bit_has_one_name(bits: int) -> None:
    names = field_names(bits)
    assert len(set(names)) == len(names) == bits.bit_count()
