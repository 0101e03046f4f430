"""The ladder: down by itself, up only by a fresh proof or two operators, and what each step still allows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.alerts import Alert, Evidence
from ecluse.gate.containment import (
    ALLOWS,
    PROOF_S_MAX,
    RELAPSE_S,
    SECOND_S_MAX,
    Act,
    Alerted,
    CapReached,
    Contained,
    Containment,
    Denied,
    Event,
    Kind,
    Lost,
    Move,
    Proved,
    Reach,
    Released,
    Reset,
    allows,
    move,
)
from ecluse.gate.presence import Presence
from ecluse.gate.signals import SIGNALS, Name, Signal, Step
from ecluse.kernel.errors import Refused

NOON_US = 1_790_000_000_000_000
S = 1_000_000
EVIDENCE = Evidence(14, 20, 1_789_999_000, 1_790_000_000, 0.03, 0.05)


def alerted(step: Step, signal: Name = Name.MISSES) -> Alerted:
    return Alerted(Alert(signal, step, 3.0 + step, EVIDENCE))


def account(step: Step, **more: Any) -> Containment:
    return Containment(Kind.ACCOUNT, int(step), NOON_US - 3600 * S, **more)


DOWN = [
    (alerted(Step.SLOWED), Step.SLOWED),
    (alerted(Step.PRESENCE_ONLY), Step.PRESENCE_ONLY),
    (alerted(Step.STEP_UP), Step.STEP_UP),
    (alerted(Step.QUARANTINED, Name.DECOYS), Step.QUARANTINED),
    (CapReached("debt", 183, 183), Step.SLOWED),
    (CapReached("year", 2_000, 2_000), Step.STEP_UP),
    (Denied(1, 200), Step.OPEN),
    (Denied(5, 10), Step.QUARANTINED),
]


@pytest.mark.parametrize(("event", "due"), DOWN, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("before", Step)
def test_downwards_by_itself_and_never_upwards(before: Step, event: Event, due: Step) -> None:
    state, moved = move(account(before), event, NOON_US)
    assert state.step == max(before, due)
    assert (moved is None) == (due <= before)
    if moved:
        assert moved == Move(Kind.ACCOUNT, before, due, NOON_US, event)
        assert state.since_us == NOON_US
    assert move(state, event, NOON_US + 1) == (state, None)


@pytest.mark.parametrize("set_to", list(Step)[1:])
@pytest.mark.parametrize("before", Step)
def test_whoever_contains_is_in_the_journal_and_takes_back_what_was_asked_for(before: Step, set_to: Step) -> None:
    """At the step it stands on, too, and above it: who asked before knew less than who contains now."""
    state, event = account(before), Contained("zoe", set_to, "the police called")
    if before:
        state, _ = move(state, Released("ali", Step.OPEN, "a false alarm"), NOON_US)
    after, moved = move(state, event, NOON_US + S)
    assert moved == Move(Kind.ACCOUNT, before, max(before, set_to), NOON_US + S, event)
    assert after.since_us == (NOON_US + S if set_to >= before else account(before).since_us)
    again, _ = move(after, Released("max", Step.OPEN, "as ali asked"), NOON_US + 2 * S)
    assert (after.asked_by, again.step, again.asked_by) == ("", max(before, set_to), "max")
    assert move(after, event, NOON_US + S)[0] == after


def test_a_device_reported_lost_again_is_in_the_journal() -> None:
    once, _ = move(account(Step.OPEN), Lost("zoe", "she thinks so"), NOON_US)
    asked, _ = move(once, Reset("ali", "new phone", 0), NOON_US + S)
    again, moved = move(asked, Lost("max", "found with a thief"), NOON_US + 2 * S)
    assert (again, moved and moved.event) == (once, Lost("max", "found with a thief"))


@pytest.mark.parametrize(
    ("before", "after"),
    [(Step.SLOWED, Step.OPEN), (Step.PRESENCE_ONLY, Step.OPEN), (Step.STEP_UP, Step.SLOWED)],
)
def test_a_fresh_proof_lifts(before: Step, after: Step) -> None:
    state, moved = move(account(before), Proved(NOON_US - 20 * S, "eidas2"), NOON_US)
    assert state.step == after
    assert moved
    with pytest.raises(Refused, match="proof_refused"):  # once
        move(state, Proved(NOON_US - 20 * S, "eidas2"), NOON_US + 1)


@pytest.mark.parametrize(
    ("state", "authenticated_us"),
    [
        (account(Step.OPEN), NOON_US - S),
        (account(Step.QUARANTINED), NOON_US - S),
        (Containment(Kind.INSURER, Reach.PRESENCE_ONLY, NOON_US - 3600 * S), NOON_US - S),
        (account(Step.SLOWED), NOON_US - PROOF_S_MAX * S),
        (account(Step.SLOWED), NOON_US + 1),
        (Containment(Kind.ACCOUNT, Step.SLOWED, NOON_US - 10 * S), NOON_US - 11 * S),
    ],
    ids=["nothing to lift", "quarantine", "an insurer has no login", "old", "to come", "a session from before"],
)
def test_proofs_that_lift_nothing(state: Containment, authenticated_us: int) -> None:
    with pytest.raises(Refused, match="proof_refused"):
        move(state, Proved(authenticated_us, "eidas2"), NOON_US)


def test_a_second_step_up_within_a_month_of_a_proof_is_a_quarantine() -> None:
    proven, _ = move(account(Step.STEP_UP), Proved(NOON_US - S, "eidas2"), NOON_US)
    assert move(proven, alerted(Step.STEP_UP), NOON_US + RELAPSE_S * S - 1)[0].step == Step.QUARANTINED
    assert move(proven, alerted(Step.STEP_UP), NOON_US + RELAPSE_S * S)[0].step == Step.STEP_UP
    slowed, _ = move(account(Step.SLOWED), Proved(NOON_US - S, "eidas2"), NOON_US)
    assert move(slowed, alerted(Step.STEP_UP), NOON_US + S)[0].step == Step.STEP_UP


@pytest.mark.parametrize(
    "signal", [each for each in SIGNALS if each.gravest >= Step.STEP_UP], ids=lambda each: each.name.name
)
def test_a_relapse_leads_as_far_as_its_signal_may(signal: Signal) -> None:
    """What others can bring about, with copies of passes, asks for a login each time and shuts nobody out."""
    state = account(Step.OPEN)
    for day in range(3):
        at_us = NOON_US + day * 86_400 * S
        state, _ = move(state, alerted(Step.STEP_UP, signal.name), at_us)
        assert state.step == (signal.gravest if day else Step.STEP_UP)
        if state.step == Step.STEP_UP:
            state, _ = move(state, Proved(at_us + 60 * S, ""), at_us + 90 * S)


def test_who_logged_in_after_a_reset_is_not_held_to_what_was_before_it() -> None:
    """A `slowed` that somebody lifts holds older logins to `slowed`: those of after the reset, to no more than that."""
    hour = 3600 * S
    state, at_us = account(Step.OPEN), NOON_US
    for event in (Lost("zoe", "stolen"), Reset("zoe", "new phone", 0), Reset("ali", "called", 0)):
        at_us += hour
        state, _ = move(state, event, at_us)
    back_us, second_us = at_us, at_us + hour
    state, _ = move(state, Proved(at_us + 60 * S, ""), at_us + 90 * S)
    assert allows(state, Presence.TYPED, second_us) == allows(account(Step.OPEN), Presence.TYPED)
    for event in (CapReached("debt", 300, 300), Proved(at_us + 3 * hour + 60 * S, "")):
        state, _ = move(state, event, at_us + 3 * hour + 90 * S * isinstance(event, Proved))
    assert state.older == ((Step.QUARANTINED, back_us), (Step.SLOWED, at_us + 3 * hour))
    assert allows(state, Presence.TYPED, second_us).slowed
    assert allows(state, Presence.TYPED, back_us).refusal
    assert allows(state, Presence.TYPED, 0).refusal


def test_what_an_earlier_version_kept_holds_as_it_did() -> None:
    kept = {"kind": "account", "step": 1, "since_us": NOON_US, "before_step": 4, "before_us": NOON_US - S}
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Containment)
    assert [state.step_of(each) for each in (0, NOON_US - S, NOON_US)] == [4, 4, 1]
    assert state == msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Containment)
    asked = {**kept, "is_lost": True, "step": 4, "asked_by": "zoe", "asked_step": 1, "asked_us": NOON_US}
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(asked), type=Containment)
    with pytest.raises(Refused, match="delay is not over"):
        move(state, Reset("max", "checked", 60 * S), NOON_US + 59 * S)
    assert move(state, Reset("max", "checked", 60 * S), NOON_US + 60 * S)[0].step == Step.SLOWED


OLDER = [
    (Step.SLOWED, "slowed"),
    (Step.PRESENCE_ONLY, "presence_required"),
    (Step.STEP_UP, "step_up_required"),
]


def is_admitted(state: Containment, presence: Presence, login_us: int = 0) -> bool:
    return allows(state, presence, login_us).refusal is None


@pytest.mark.parametrize(("limit", "code"), OLDER)
def test_a_proof_lifts_nothing_for_a_login_of_before(limit: Step, code: str) -> None:
    """A thief goes on under the token that was stolen while its owner logs in anew: every morning, as it were."""
    thief_us, state = NOON_US - 7200 * S, account(limit)
    for at_us in (NOON_US, NOON_US + 86_400 * S, NOON_US + 2 * 86_400 * S):
        while state.step:
            at_us += 60 * S
            state, _ = move(state, Proved(at_us - 20 * S, "eidas2"), at_us)
            assert is_admitted(state, Presence.TYPED, at_us - 20 * S)
        at_us += 3600 * S
        state, _ = move(state, alerted(Step.SLOWED), at_us)
        for login_us in (thief_us, 0):
            found = allows(state, Presence.TYPED, login_us)
            assert code == (found.refusal.code if found.refusal else "slowed" if found.slowed else "yes")
            assert is_admitted(state, Presence.PASS, login_us)
    released, _ = move(state, Released("zoe", Step.OPEN, "called"), at_us)
    released, _ = move(released, Released("ali", Step.OPEN, "called"), at_us)
    assert allows(released, Presence.TYPED, thief_us) == allows(account(Step.OPEN), Presence.TYPED)


def test_two_operators_release_a_quarantine() -> None:
    asked, first = move(account(Step.QUARANTINED), Released("Zoe", Step.OPEN, "she called back"), NOON_US)
    assert (asked.step, first and (first.before, first.after)) == (Step.QUARANTINED, (4, 4))
    for same in ("Zoe", " zoe ", "ZOE"):
        with pytest.raises(Refused, match="the same operator"):
            move(asked, Released(same, Step.OPEN, "again"), NOON_US + S)
    state, second = move(asked, Released("Ali", Step.OPEN, "checked with the Ordre"), NOON_US + 60 * S)
    assert state == Containment(Kind.ACCOUNT, Step.OPEN, NOON_US + 60 * S, cleared_us=NOON_US + 60 * S)
    assert second


@pytest.mark.parametrize(
    ("later", "wait_s"),
    [(Released("Ali", Step.SLOWED, "another step"), 60), (Released("Ali", Step.OPEN, "too late"), SECOND_S_MAX)],
)
def test_what_does_not_confirm_asks_anew(later: Released, wait_s: int) -> None:
    asked, _ = move(account(Step.QUARANTINED), Released("Zoe", Step.OPEN, "she called"), NOON_US)
    state, _ = move(asked, later, NOON_US + wait_s * S)
    assert (state.step, state.asked_by, state.asked_step) == (Step.QUARANTINED, "ali", later.step)


def test_a_new_alert_takes_back_what_the_first_operator_saw() -> None:
    asked, _ = move(account(Step.SLOWED), Released("Zoe", Step.OPEN, "she called"), NOON_US)
    worse, _ = move(asked, alerted(Step.STEP_UP), NOON_US + S)
    state, _ = move(worse, Released("Ali", Step.OPEN, "as Zoe said"), NOON_US + 2 * S)
    assert state.step == Step.STEP_UP


@pytest.mark.parametrize(
    "event",
    [
        Released("Zoe", Step.STEP_UP, "the same step"),
        Released("Zoe", Step.QUARANTINED, "below"),
        Released("Zoe", -1, "no such step"),
        Released(" ", Step.OPEN, "nobody"),
        Released("Zoe", Step.OPEN, " "),
        Released("Z" * 65, Step.OPEN, "long"),
        Contained("", Step.QUARANTINED, "nobody"),
        Contained("Zoe", 5, "no such step"),
        Contained("Zoe", Step.OPEN, "no limit"),
    ],
)
def test_releases_that_are_refused(event: Event) -> None:
    with pytest.raises(Refused, match="containment_refused"):
        move(account(Step.STEP_UP), event, NOON_US)


@pytest.mark.parametrize("kind", [Kind.INSURER, Kind.DOMAIN, Kind.VENDOR])
def test_insurers_domains_and_vendors_have_their_own_ladder(kind: Kind) -> None:
    state = Containment(kind)
    state, _ = move(state, CapReached("fleet", 5_000, 5_000), NOON_US)
    assert state.step == Reach.PRESENCE_ONLY
    state, _ = move(state, Contained("Zoe", Reach.CLOSED, "the insurer asked"), NOON_US)
    assert [allows(state, presence).refusal is None for presence in Presence] == [False] * 3
    state, _ = move(state, Released("Zoe", Reach.PRESENCE_ONLY, "over"), NOON_US)
    state, _ = move(state, Released("Ali", Reach.PRESENCE_ONLY, "over"), NOON_US)
    assert [is_admitted(state, presence) for presence in Presence] == [False, True, True]


def test_what_each_step_allows() -> None:
    codes = {
        step: [verdict.refusal.code if verdict.refusal else "slowed" if verdict.slowed else "yes" for verdict in row]
        for step, row in ALLOWS.items()
    }
    assert codes == {
        Step.OPEN: ["yes", "yes", "yes"],
        Step.SLOWED: ["slowed", "yes", "yes"],
        Step.PRESENCE_ONLY: ["presence_required", "yes", "yes"],
        Step.STEP_UP: ["step_up_required", "yes", "yes"],
        Step.QUARANTINED: ["account_quarantined"] * 3,
    }
    for step in Step:  # no step allows more than one above it
        for presence in Presence:
            here = is_admitted(Containment(Kind.ACCOUNT, step), presence)
            assert here <= is_admitted(Containment(Kind.ACCOUNT, max(0, step - 1)), presence)


NAMES = st.sampled_from(["zoe", "Ali", " zoe", "Max"])
ACCOUNT_EVENTS = st.one_of(
    st.builds(alerted, st.sampled_from(list(Step)[1:])),
    st.builds(CapReached, st.sampled_from(["debt", "year"]), st.just(9), st.just(9)),
    st.builds(Denied, st.integers(0, 8), st.integers(0, 100)),
    st.builds(Proved, st.integers(NOON_US - 400 * S, NOON_US + 4_000 * S), st.just("eidas2")),
    st.builds(Contained, NAMES, st.sampled_from(Step), st.just("seen")),
    st.builds(Released, NAMES, st.sampled_from(Step), st.just("checked")),
    st.builds(Lost, NAMES, st.just("stolen")),
    st.builds(Reset, NAMES, st.just("new phone"), st.sampled_from([100 * S, 86_400 * S])),
)
WAITS_S = st.one_of(st.integers(0, 200), st.integers(0, 30 * 86_400))


@given(st.sampled_from(Step), st.lists(st.tuples(ACCOUNT_EVENTS, WAITS_S), max_size=30))
def test_no_history_leads_upwards_without_a_proof_or_two_operators(
    begun: Step, history: list[tuple[Event, int]]
) -> None:
    state, at_us, released, resets = account(begun), NOON_US, list[tuple[str, int]](), list[tuple[str, int]]()
    for event, wait_s in history:
        at_us += wait_s * S
        before = state
        try:
            state, moved = move(state, event, at_us)
        except Refused:
            continue
        assert (moved is None) == (state == before and not isinstance(event, Act))
        if isinstance(event, Released):
            released.append((event.operator.strip().casefold(), event.step))
        if isinstance(event, Reset):
            resets.append((event.operator.strip().casefold(), at_us + event.delay_us))
        if state.step < before.step:
            by_proof = isinstance(event, Proved) and before.since_us < event.authenticated_us <= at_us
            by_two = isinstance(event, Released) and len({who for who, step in released if step == state.step}) > 1
            by_reset = isinstance(event, Reset) and any(
                who != resets[-1][0] and at_us >= from_us for who, from_us in resets[:-1]
            )
            assert by_proof or by_two or by_reset
            assert before.step != Step.QUARANTINED or by_two or by_reset
            assert not before.is_lost or (by_reset and state.step == Step.SLOWED)
        # nor does any for who logged in before a limit; what a proof left of a step-up was set for nobody's login
        is_left = before.step == Step.SLOWED and before.since_us == before.proved_us
        lifted = {each.until_us for each in before.older}
        for login_us in {0, NOON_US - 3601 * S, *lifted} | (set() if is_left else {before.since_us}):
            if state.step_of(login_us) < before.step_of(login_us):
                assert isinstance(event, Released | Reset) or (is_left and login_us not in lifted)
        assert len(state.older) < len(Step)
        if state.step != before.step:
            released.clear()
            resets.clear()


@given(st.sampled_from(Step), ACCOUNT_EVENTS)
def test_the_same_event_twice_is_as_once(begun: Step, event: Event) -> None:
    once = twice = account(begun)
    try:
        once = twice = move(once, event, NOON_US)[0]
        twice = move(once, event, NOON_US)[0]
    except Refused:
        pass
    assert once == twice


@given(ACCOUNT_EVENTS, st.sampled_from(Step))
def test_moves_are_data(event: Event, step: Step) -> None:
    moved = Move(Kind.ACCOUNT, Step.OPEN, step, NOON_US, event)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(moved), type=Move) == moved
    assert msgspec.json.decode(msgspec.json.encode(moved), type=Move) == moved


def test_a_lost_device_is_put_back_by_two_after_the_delay() -> None:
    delay_us = 72 * 3600 * S
    state = move(account(Step.OPEN), Lost("zoe", "volé"), NOON_US)[0]
    assert (state.step, state.is_lost) == (Step.QUARANTINED, True)
    with pytest.raises(Refused, match="a device of it was lost"):
        move(state, Released("zoe", Step.OPEN, "called"), NOON_US)
    asked = move(state, Reset("zoe", "new phone", delay_us), NOON_US)[0]
    assert asked.step == Step.QUARANTINED
    for who, after_us, why in (("Zoe ", delay_us, "same operator"), ("max", delay_us - 1, "delay is not over")):
        with pytest.raises(Refused, match=why):
            move(asked, Reset(who, "checked", delay_us), NOON_US + after_us)
    back = move(asked, Reset("max", "checked", delay_us), NOON_US + delay_us)[0]
    assert (back.step, back.is_lost, back.since_us) == (Step.SLOWED, False, NOON_US + delay_us)
    assert allows(back, Presence.LIVE, NOON_US + delay_us).refusal  # the device that was lost, whoever has it
    assert allows(back, Presence.TYPED, NOON_US + delay_us + S).slowed
    assert back.cleared_us == NOON_US + delay_us
    with pytest.raises(Refused, match="delay is not over"):  # whatever delay is in the settings of who confirms
        move(asked, Reset("max", "checked", 0), NOON_US + delay_us - 1)
    late = move(asked, Reset("max", "checked", 0), NOON_US + delay_us + SECOND_S_MAX * S)[0]
    assert (late.step, late.asked_by) == (Step.QUARANTINED, "max")  # asked for anew
