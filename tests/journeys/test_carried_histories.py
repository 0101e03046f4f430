"""What stands outlives the months it was said in: whatever was done, pruned, killed and lost, in whichever process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.denials import list_denials
from ecluse.gate.containment import Kind, Released
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from tests.carried import AMC, GOOD, NOTHING, Years, years
from tests.laws import examples

ACCOUNTS = ("rpps:1", "rpps:2")
BY, NUMBERS, WHO = st.integers(0, 1), st.integers(0, 3), st.sampled_from(ACCOUNTS)
STEPS = st.sampled_from(Step)
DIES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 1))
Acts = st.one_of(
    st.tuples(st.sampled_from(("freeze", "lift")), NUMBERS, BY),
    st.tuples(st.sampled_from(("contain", "release", "ask_release")), WHO, STEPS, BY),
    st.tuples(st.sampled_from(("lose_device", "log_in", "incident")), WHO, BY),
    st.tuples(st.just("close_insurer"), st.integers(1, 2), BY),
    st.tuples(st.just("plant"), st.sampled_from(GOOD), BY),
    st.tuples(st.just("drop"), BY),
    st.tuples(st.just("deny"), WHO, NUMBERS, BY),
    st.tuples(st.just("wait"), st.integers(1, 250)),
    st.tuples(st.just("prune"), st.integers(6, 12), BY),
    st.tuples(st.just("prune"), st.integers(6, 12), BY, DIES),
    st.tuples(st.just("lose")),
)


def played(at: Years, what: str, *how: Any) -> None:
    """One act; nothing that stands is lost by pruning, by a kill in it, or with the file."""
    if what not in ("prune", "lose"):
        getattr(at, what)(*how)
        return
    before = at.standing()
    if what == "lose":
        at.lose()
    else:
        at.prune(*how[:2], dies=how[2] if how[2:] else (-1, -1, 0))
    assert at.standing() == before


LATER = [("prune", 6, 0), ("lose",), ("wait", 230), ("prune", 6, 1), ("lose",)]


@examples(16)
@given(st.lists(Acts, max_size=10))
def test_what_stands_outlives_the_months_it_was_said_in(acts: list[Any]) -> None:
    outlives(acts)


@pytest.mark.slow
@examples(300)
@given(st.lists(Acts, max_size=20))
def test_what_stands_outlives_them_through_many_histories(acts: list[Any]) -> None:
    outlives(acts)


def outlives(acts: list[Any]) -> None:
    with years() as at:
        for what, *how in [*acts, *LATER]:
            played(at, what, *how)


def test_each_is_told_again_once_and_nobody_is_named_or_displayed_by_it() -> None:
    with years() as at:
        account, other = ACCOUNTS
        at.freeze(1)
        at.freeze(2)
        at.lift(2)
        at.contain(account, Step.QUARANTINED)
        at.plant(GOOD[0])
        at.deny(other, 3)
        at.incident(account)
        before, told = at.standing(), len(at.everything())
        at.wait(215)
        assert at.prune(6, dry_run=True) == (foreseen := at.prune(6, dry_run=True))
        assert foreseen is not None
        assert len(at.everything()) == told
        done = at.prune(6)
        assert done is not None
        assert done == foreseen
        carried = done.carried
        counts = (carried.freezes, carried.limits, carried.decoys, carried.denials, carried.incidents)
        assert counts == (2, 1, 1, 1, 2)  # the lifted one, too: the months it was frozen in are there until it is told
        again = [each for each in at.everything() if each.operation is not Operation.SHARD_PRUNED]
        assert len(again) == sum(counts)
        assert {(each.account, each.fields, each.practice, each.who) for each in again} == {("hub", 0, "", b"")}
        clear = b"|".join(f"{each.outcome} {each.engagement} {each.request}".encode() + each.sealed for each in again)
        assert not [word for word in (b"MEMBRE-N", GOOD[0].encode(), b"a copy") if word in clear]
        at.lose()
        assert at.standing() == before
        assert at.prune(6) == at.prune(6, dry_run=True)
        assert len(at.everything()) == len(again) + len(done.shards)


def test_a_person_who_lifts_while_it_is_told_again_stays_free() -> None:
    with years() as at:
        at.freeze(1, 1)
        at.wait(215)
        at.lifts_meanwhile(1)
        for _ in range(3):
            assert at.standing()["frozen"] == [False] * 8
            at.lose()
            at.wait(215)
            at.prune(6)


def test_a_freeze_that_is_read_again_alone_was_lifted_all_the_same() -> None:
    """A kill between the removal of two shards of one month: what was done in the first is told by the second."""
    with years() as at:
        at.freeze(1, 1)
        at.lift(1, 0)
        at.plant(GOOD[0], 1)
        at.drop(0)
        at.wait(215)
        at.prune(6, dies=(-1, 1, 1))
        at.lose()
        standing = at.standing()
        assert (standing["frozen"][1], standing["decoys"]) == (False, [])


def test_a_lifting_is_told_once_and_no_more() -> None:
    with years() as at:
        at.freeze(1)
        at.lift(1)  # the other process has a shard of the month, in which is nothing
        told = []
        for _ in range(3):
            at.wait(215)
            done = at.prune(6)
            assert done is not None
            told.append(done.carried.freezes)
        assert told == [1, 0, 0]


def test_a_lifting_is_told_as_long_as_a_shard_that_was_given_up_tells_of_the_freeze() -> None:
    with years() as at:
        at.freeze(1, 1)
        at.give_up("2026-01-w1")
        at.lift(1, 0)
        for _ in range(3):
            at.wait(215)
            at.prune(6)
            at.lose()
            assert at.standing()["frozen"] == [False] * 8


def test_of_two_states_that_began_at_once_the_later_holds_in_whichever_slot_it_is_told() -> None:
    with years() as at:
        at.contain(ACCOUNTS[0], Step.QUARANTINED, 1)
        at.wait(215)
        at.prune(6, 1)  # told again in the second slot, which is read last
        at.lose_device(ACCOUNTS[0], 0)
        before = at.standing()["limits"]
        assert before[Kind.ACCOUNT, ACCOUNTS[0]].is_lost
        at.lose()
        assert at.standing()["limits"] == before


def test_what_is_done_once_the_clock_is_right_again_holds_though_more_was_done_while_it_was_ahead() -> None:
    insurer, ahead = (Kind.INSURER, AMC), timedelta(hours=3)
    with years() as at:
        for account in (*ACCOUNTS, "rpps:3"):
            at.contain(account, Step.SLOWED)
        at.close_insurer(2)
        at.clock.instant += ahead
        for account in ACCOUNTS:
            at.release(account, Step.OPEN)
        for operator in ("a", "c"):
            at.move(insurer, Released(operator, 0, "b"))
        at.contain("rpps:3", Step.QUARANTINED)
        at.clock.instant -= ahead
        at.contain(ACCOUNTS[0], Step.QUARANTINED, 1)
        at.lose_device(ACCOUNTS[1], 1)
        at.close_insurer(1, 1)
        at.release("rpps:3", Step.SLOWED, 1)
        before = at.standing()["limits"]
        assert [before[Kind.ACCOUNT, each].step for each in (*ACCOUNTS, "rpps:3")] == [4, 4, 1]
        assert before[insurer].step == 1
        for _ in range(2):
            at.lose()
            assert at.standing()["limits"] == before
            at.wait(215)
            at.prune(6)  # told again, it comes in the same order
        at.contain(ACCOUNTS[0], Step.QUARANTINED)
        at.release(ACCOUNTS[0], Step.SLOWED)
        at.lose()
        assert at.standing()["limits"][Kind.ACCOUNT, ACCOUNTS[0]].step == Step.SLOWED


def test_a_file_from_before_is_told_again_whole() -> None:
    with years() as at:
        at.freeze(1)
        at.contain(ACCOUNTS[0], Step.SLOWED)
        at.plant(GOOD[0])
        at.incident(ACCOUNTS[0])
        before = at.standing()
        at.forget_when_it_was_told()
        done = at.prune(12)
        assert done is not None
        assert (done.carried.freezes, done.carried.limits, done.carried.decoys, done.carried.incidents) == (1, 1, 1, 2)
        assert at.standing() == before
        assert at.prune(12) == at.prune(12, dry_run=True)


def test_a_denial_told_again_weighs_and_no_detector_hears_of_it() -> None:
    with years() as at:
        account = ACCOUNTS[0]
        for number in range(3):
            at.deny(account, number)
        for number in range(3, 8):
            at.open_person(account, number)
        at.contain(account, Step.PRESENCE_ONLY)
        known = at.openings()
        assert len(known) == 8
        said = list_denials(at.hub(), AMC, account)
        at.wait(215)
        at.prune(6)
        at.lose()
        assert at.openings() == known  # insurers are told nothing again
        at.lose("openings.db")
        assert (at.openings(), list_denials(at.hub(), AMC, account)) == ([], said)
        store, today = at.hub().allowance.store, at.today
        found = store.position(account, today)
        assert found is not None
        assert (found.standing.debt, found.standing.year) == (3, 3)
        # By day there is nothing: three of three would be said of an account of which eight were opened.
        assert store.by_day(account) == []
        assert at.hub().sensings.waiting() == 0
        at.wait(200)  # a year after the openings they weigh no more, and are told no more
        done = at.prune(6)
        assert done is not None
        assert done.carried.denials == 0


def test_a_look_again_at_somebody_who_denied_the_first_is_of_that_day_still() -> None:
    with years() as at:
        at.deny(ACCOUNTS[0], 1)
        at.wait(160)
        at.open_person(ACCOUNTS[0], 1)
        before = at.standing()
        at.wait(60)
        at.prune(6)
        at.lose()
        assert at.standing() == before


def test_by_the_usual_time_no_denial_that_weighs_is_pruned() -> None:
    with years() as at:
        at.deny(ACCOUNTS[0], 1)
        at.wait(390)
        before = at.standing()["denied"]
        done = at.prune(12)
        assert done is not None
        assert done.shards
        assert done.carried == NOTHING
        assert before == []
