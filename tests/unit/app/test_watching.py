"""The watcher reads everything once: whatever it is killed at, its states, counts and moves are those of one that never was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecluse.app.containment import moved
from ecluse.app.watching import Watcher
from ecluse.engines.sqlite import happenings, sensings
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.gate.containment import Kind, Proved, Released
from ecluse.gate.profile import insurer_class
from ecluse.gate.signals import Name, Step
from ecluse.kernel.errors import Refused
from tests.laws import examples
from tests.watched import CALM, COUNTING, DEBT, DECOY_ACCOUNT, FLEET, OTHER, PRACTICE, THIEF, World, world

Acts = st.one_of(
    st.tuples(
        st.just("ask"), st.sampled_from((THIEF, OTHER)), st.lists(st.integers(0, 60), max_size=30), st.booleans()
    ),
    st.tuples(st.just("watch"), st.sampled_from(("", "unmoved", "moved", "before", "after"))),
    st.tuples(st.just("operators"), st.sampled_from((THIEF, OTHER)), st.sampled_from(Step)),
    st.tuples(st.just("deny"), st.sampled_from((THIEF, OTHER)), st.lists(st.integers(1, 60), max_size=20)),
    st.tuples(st.just("change_bank")),
    st.tuples(
        st.just("show"),
        st.sampled_from((THIEF, OTHER)),
        st.lists(st.integers(1, 9), max_size=20),
        st.sampled_from(("590000018", "130000014")),
        st.booleans(),
    ),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


def asked_of(at: World, account: str, numbers: list[int], counts: bool) -> None:
    for number in numbers:
        at.ask(account, number, features=COUNTING if counts else CALM)


def denied(at: World, account: str, numbers: list[int]) -> None:
    for number in numbers:
        at.deny(account, number)


def shown(at: World, account: str, numbers: list[int], practice: str, live: bool) -> None:
    for number in numbers:
        at.show(account, number, practice, live=live)


def waited(at: World, days: int) -> None:
    at.clock.instant += timedelta(days=days)


PLAYED: dict[str, Callable[..., None]] = {
    "ask": asked_of,
    "operators": World.operators,
    "deny": denied,
    "show": shown,
    "change_bank": World.change_bank,
    "wait": waited,
}


def play(at: World, acts: list[Any], *, dies: bool) -> None:
    for what, *how in [*acts, ("wait", 40), ("watch", "before")]:
        if what == "watch":
            at.watch(how[0] if dies else "")
        else:
            PLAYED[what](at, *how)


@examples(15)
@given(st.lists(Acts, max_size=8))
@example([("ask", THIEF, [0] * 8, False)])  # a set that is kept once, or twice
@example(
    [("ask", THIEF, [0] * 8 + [5], False), ("show", THIEF, [5], "590000018", False)]
)  # a day that alarmed, moved late
def test_a_watcher_that_is_killed_keeps_what_one_that_never_was_keeps(acts: list[Any]) -> None:
    with world() as calm, world() as dying:
        play(calm, acts, dies=False)
        play(dying, acts, dies=True)
        assert dying.sensings.waiting() == 0
        mine, theirs = dying.kept(), calm.kept()
        assert mine == theirs
        assert list(dict.fromkeys(dying.moves)) == list(dict.fromkeys(calm.moves))  # one may be told twice


def test_misses_quarantine_and_the_journal_says_so_once() -> None:
    with world() as at:
        for number in range(40):
            at.ask(THIEF, 0)
            at.ask(OTHER, number % 4 + 1)
        at.watch("before")
        assert (at.step(THIEF), at.step(OTHER)) == (Step.QUARANTINED, Step.OPEN)
        assert at.moves == [f"{THIEF} account_quarantined"]
        found = at.sensings.alerts("", 10)
        assert found
        assert {each.account for each in found} == {THIEF}
        assert {each.alert.signal for each in found} <= {Name.MISSES, Name.MISSES_OF_NEW}
        # Two operators lift it: what was paid in is taken out, so that a single miss does not close it again.
        at.operators(THIEF, Step.OPEN)
        at.ask(THIEF, 0)
        at.watch()
        assert at.step(THIEF) == Step.OPEN


def test_a_full_debt_slows_and_says_how_full() -> None:
    with world() as at:
        assert {at.ask(THIEF, number) for number in range(1, DEBT + 1)} == {""}
        at.watch()
        before = at.step(THIEF)
        assert at.ask(THIEF, DEBT + 1) == "debt"
        at.watch()
        assert max(before, Step.SLOWED) == at.step(THIEF)


def test_a_refusal_that_settled_claims_have_answered_moves_nothing() -> None:
    with world() as at:
        for number in range(1, DEBT + 2):
            at.ask(THIEF, number, asked=0)  # as one question: the detectors try it once
        at.claims.paid = {number.to_bytes(8) * 2 for number in range(1, 20)}
        at.runner.run(at.hub.allowance.look(THIEF))
        at.watch()
        assert at.step(THIEF) == Step.OPEN


def test_openings_mature_once_after_thirty_days_and_only_claimed_ones_teach() -> None:
    with world() as at:
        for number in range(1, 11):
            at.ask(THIEF, number, asked=0)
        at.watch()
        at.claims.paid = {number.to_bytes(8) * 2 for number in range(1, 10)}
        at.clock.instant += timedelta(days=30)
        at.watch()
        state = at.sensings.state(THIEF)
        assert state
        assert (state.profile.day, state.tally.people) == (0, 10)
        at.clock.instant += timedelta(days=1)
        at.watch("before")
        state = at.sensings.state(THIEF)
        assert state
        row = state.watch.rows[Name.UNCLAIMED]
        assert state.profile.insurers == ((insurer_class("0075000001"), 9),)
        assert row.paid > 0
        assert state.profile.rates[Name.UNCLAIMED].hits == pytest.approx(60 * 0.3 + 1)
        assert at.kept()["waiting"] == []


def test_a_login_forgives_circumstances_and_keeps_what_was_asked() -> None:
    with world() as at:
        for number in range(40):
            at.ask(THIEF, 0, network=f"198.51.{number}.0/24")
        at.watch()
        at.operators(THIEF, Step.OPEN)
        at.operators(THIEF, Step.STEP_UP)
        for number in range(12):
            at.ask(THIEF, 0, network=f"203.0.{number}.0/24")
        at.watch()
        before = at.sensings.state(THIEF)
        at.clock.instant += timedelta(seconds=60)
        now_us = int(at.clock.instant.timestamp()) * 1_000_000
        at.runner.run(moved(at.hub, (Kind.ACCOUNT, THIEF), Proved(now_us - 5_000_000, "")))
        at.watch("before")
        after = at.sensings.state(THIEF)
        assert before
        assert after
        assert (before.step, after.step) == (Step.STEP_UP, Step.SLOWED)
        assert before.watch.rows[Name.SURROUNDINGS].e_value > 0 == after.watch.rows[Name.SURROUNDINGS].e_value
        assert 0 < after.watch.rows[Name.MISSES].e_value <= 1_001


def test_a_lost_file_of_counters_loses_no_profile_and_its_notes_are_read() -> None:
    with world() as at:
        for number in range(1, 5):
            at.ask(THIEF, number)
        at.watch()
        for each in (at.store, at.contained, at.sensings):
            each.close()
        for lost in at.home.glob("gate.db*"):
            lost.unlink()
        at.open_gate()
        at.ask(THIEF, 5)
        assert at.sensings.waiting() == 1
        at.watch()
        state = at.sensings.state(THIEF)
        assert state
        assert state.tally.people == 5


def test_many_accounts_together_trip_the_breakers_of_what_they_share() -> None:
    with world() as at:
        for number in range(1, 61):
            at.ask(f"rpps:{number}", 1)
        at.watch()
        assert at.contained.limits() == {}
        at.ask("rpps:61", 1)
        at.watch("before")
        tripped = {name: state.step for name, state in at.contained.limits().items()}
        assert tripped == {
            (Kind.INSURER, "0075000001"): 1,
            (Kind.DEPARTMENT, "75"): 1,
            (Kind.VENDOR, "logiciel"): 1,
            (Kind.NETWORK, "192.0.2.0/24"): 1,
        }
        for operator in ("a", "c"):
            at.runner.run(moved(at.hub, (Kind.DEPARTMENT, "75"), Released(operator, 0, "b")))
        at.ask("rpps:62", 1)  # it counts that day anew
        at.watch()
        assert (Kind.DEPARTMENT, "75") not in at.contained.limits()


def test_one_that_only_tells_moves_nothing() -> None:
    with world() as at:
        at.watcher = Watcher(at.hub, FLEET, acts=False)
        for _ in range(40):
            at.ask(THIEF, 0)
        at.watch()
        assert at.sensings.alerts(THIEF, 1)
        assert (at.contained.limits(), at.moves) == ({}, [])


def test_a_change_of_bank_and_a_not_me_are_read_once_whenever_it_is_killed() -> None:
    with world() as at:
        for number in range(1, 9):
            at.ask(THIEF, number, asked=number)
        at.clock.instant += timedelta(days=100)
        for dies in ("before", "after", "unmoved", "moved"):
            at.change_bank()
            at.watch(dies)
            at.clock.instant += timedelta(days=1)
        assert at.step(THIEF) >= Step.SLOWED
        before = at.sensings.state(THIEF)
        assert before
        assert before.watch.capital.fresh > 0
        for number in range(1, 5):
            assert at.deny(THIEF, number)
        at.watch("moved")
        found = {each.alert.signal: each.alert.evidence for each in at.sensings.alerts(THIEF, 10)}
        assert (found[Name.DETAILS].hits, found[Name.DETAILS].tries) == (4, 4)
        assert (found[Name.DENIALS].hits, found[Name.DENIALS].tries) == (4, 8)
        assert at.step(THIEF) == Step.PRESENCE_ONLY
        # Read again out of the journal they are known already: nothing waits.
        at.ribs.again(PRACTICE, before.changed_s * 1_000_000, b"sealed")
        at.store.recover_denial(THIEF, PRACTICE, (1).to_bytes(8) * 2, 1, at.now_us)
        assert at.sensings.waiting() == 0


@pytest.mark.parametrize("dies", ["", "before", "after", "unmoved", "moved"])
def test_a_decoy_is_touched_once_whenever_it_is_killed(dies: str) -> None:
    with world() as at:
        at.plant(2**63 + 5, 2**62)
        at.ask(OTHER, 0, asked=2**63 + 6)
        at.ask(OTHER, 7, asked=2**62)  # somebody now: no decoy any more
        at.ask(THIEF, 3)
        at.ask(THIEF, 0, asked=2**63 + 5)
        at.sensings.came(DECOY_ACCOUNT, at.now_us)
        at.sensings.came(OTHER, at.now_us)
        at.watch(dies)
        assert [at.step(who) for who in (THIEF, DECOY_ACCOUNT, OTHER)] == [
            Step.QUARANTINED,
            Step.QUARANTINED,
            Step.OPEN,
        ]
        assert {(each.account, each.place, each.times) for each in at.sensings.touches()} == {
            (THIEF, 1, 1),
            (DECOY_ACCOUNT, 1, 1),
        }
        found = {each.account: each.alert for each in at.sensings.alerts("", 10) if each.alert.signal is Name.DECOYS}
        assert {who: each.evidence.decoy for who, each in found.items()} == {THIEF: "dcy_1 1", DECOY_ACCOUNT: "dcy_1 1"}


def test_a_state_that_was_kept_when_there_were_fewer_signals_goes_on() -> None:
    with world() as at:
        for number in range(1, 9):
            at.ask(THIEF, number)
        at.ask(THIEF, 0)
        at.watch()
        state = at.sensings.state(THIEF)
        assert state
        older = msgspec.json.decode(msgspec.json.encode(state))
        for each in (older[0][1], older[1][1], older[3][4], older[3][5]):
            each.pop()
        encoded = msgspec.msgpack.encode(older[:-1])  # as it was before a change of details was remembered, too
        at.sensings._own.execute("UPDATE account SET state = ? WHERE name = ?", (encoded, THIEF))
        assert at.sensings.state(THIEF) == state
        for _ in range(40):
            at.ask(THIEF, 0)
        at.watch()
        assert at.step(THIEF) == Step.QUARANTINED


def test_two_never_watch_at_once(tmp_path: Path) -> None:
    first, second = (LocalSensings(tmp_path / "gate.db", tmp_path / "sensed.db") for _ in range(2))
    with first.alone(), pytest.raises(Refused, match="watched_elsewhere"), second.alone():
        pass
    with second.alone():
        pass
    first.close()
    second.close()


def test_far_behind_nothing_more_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happenings, "WAITING_MAX", 5)
    monkeypatch.setattr(happenings, "COUNTED_EVERY", 1)
    with world() as at:
        for _ in range(9):
            assert at.ask(THIEF, 0) == ""
        assert at.sensings.waiting() == 6
        at.watch()
        at.ask(THIEF, 0)
        assert at.sensings.waiting() == 1


def test_ids_only_rise_and_what_is_read_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensings, "SWEEP_S", 0)
    monkeypatch.setattr(sensings, "SWEPT_TOGETHER", 4)
    with world() as at:
        at.watcher = Watcher(at.hub, FLEET, acts=False)
        last = 0
        for count in (1, 9, 3):
            for _ in range(count):
                at.ask(THIEF, 0)
            read = [each.id for each in at.sensings.happenings(100)]
            assert read == sorted(set(read))
            assert read[0] > last
            last = read[-1]
            at.watch()
            assert at.sensings._gate.execute("SELECT id FROM happening").fetchall() == [(last,)]
            assert at.sensings.waiting() == 0
