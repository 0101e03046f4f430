"""An account's questions in order: what they alert to, what they teach a month later, and that a kept state is the same state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.gate.alerts import Alert
from ecluse.gate.containment import Contained, Containment, Kind, Move, Proved, Released, move
from ecluse.gate.features import Course, Features
from ecluse.gate.features import Step as Kin
from ecluse.gate.lessons import Ripe, Tally, Waiting
from ecluse.gate.profile import insurer_class
from ecluse.gate.sensing import (
    ASKED_MAX,
    DAY_S,
    DAYS_MAX,
    Question,
    Sensed,
    begun,
    closed,
    device_class,
    grown,
    ripened,
    sense,
    stepped,
    usual_of,
)
from ecluse.gate.signals import SIGNALS, Name, Step

GP = "general_practitioner"
FIRST_DAY = 20_600
HERE = {"network": "192.0.2.0/24", "software": "logiciel"}
HOUR_S = 3_600
encode = msgspec.msgpack.encode
decode = msgspec.msgpack.Decoder(Sensed).decode


def question(at_s: int, asked: int, **told: Any) -> Question:
    plain: dict[str, Any] = {
        "missed": False,
        "known": False,
        "insurer": "0075000001",
        "session": str(at_s // DAY_S),
        **HERE,
    }
    plain["features"] = Features(75, Kin.FAR, Course.TURNED, 600)
    return Question(at_s=at_s, asked=asked, **{**plain, **told})


class Practice:
    """A practice as it is played: who it knows, and what it opened by day."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.returning: set[int] | None = None  # of whom it knows, where it began with nobody
        self.waiting: dict[int, list[Waiting]] = defaultdict(list)
        self.alerts: list[Alert] = []
        self.sensed = begun(GP, FIRST_DAY * DAY_S)

    def day(self, day: int) -> None:
        """Twenty-five honest questions, five days of seven, and what matures that day: 15 % are never claimed."""
        for number in range(25) if day % 7 < 5 else ():
            self.ask(self.honest(day * DAY_S + 8 * HOUR_S + number * 900))
        ripe = tuple(Ripe(each, self.draw.random() > 0.15) for each in self.waiting.pop(day - 31, ()))
        self.sensed, alerts = ripened(self.sensed, day * DAY_S + 20 * HOUR_S, day - 31, ripe)
        self.alerts += alerts

    def honest(self, at_s: int) -> Question:
        draw = self.draw
        course = draw.choice((Course.SAME, Course.TURNED, Course.TURNED))
        seen = Features(75 if draw.random() < 0.9 else draw.randrange(1, 90), Kin.FAR, course, draw.randrange(60, 900))
        missed = draw.random() < 0.03
        known = not missed and draw.random() < 0.7
        if self.returning is not None and not missed:
            patient = draw.randrange(1_500)
            known = patient in self.returning
            self.returning.add(patient)
        insurer = f"007500000{draw.randrange(9)}"
        return question(at_s, draw.randrange(1 << 32), missed=missed, known=known, insurer=insurer, features=seen)

    def ask(self, asked: Question) -> None:
        self.sensed, alerts, waiting = sense(decode(encode(self.sensed)), asked)
        self.alerts += alerts
        if waiting:
            self.waiting[waiting.day].append(waiting)


@pytest.fixture(scope="module")
def practice() -> Practice:
    """A general practitioner, for half a year."""
    played = Practice(24)
    for day in range(FIRST_DAY, FIRST_DAY + 180):
        played.day(day)
    return played


def later(practice: Practice) -> Iterator[int]:
    """Seconds from the morning after on, one question each twenty."""
    return iter(range((FIRST_DAY + 180) * DAY_S + 9 * HOUR_S, (FIRST_DAY + 181) * DAY_S, 20))


def test_an_honest_practice_is_never_alerted_to_and_is_learnt(practice: Practice) -> None:
    assert practice.alerts == []
    profile, known = practice.sensed.profile, usual_of(practice.sensed.profile)
    assert profile.day >= FIRST_DAY + 140
    assert 0.02 < profile.rates[Name.MISSES].mean < 0.05
    assert 0.05 < profile.rates[Name.MISSES_OF_NEW].mean < 0.15
    assert 0.1 < profile.rates[Name.UNCLAIMED].mean < 0.2
    assert 0.2 < profile.rates[Name.STRANGERS].mean < 0.4
    assert profile.rates[Name.SURROUNDINGS].mean < 0.1  # it began at 15 %
    assert known.insurers == {insurer_class(f"007500000{number}") for number in range(9)}
    assert 75 in known.departments
    assert len(encode(practice.sensed)) < 5_000


def test_a_practice_that_joins_knows_nobody_and_is_not_alerted_to() -> None:
    """Everybody is new to it in the first weeks; its patients, 1 500, come back one by one."""
    joined = Practice(25)
    joined.returning = set()
    for day in range(FIRST_DAY, FIRST_DAY + 120):
        joined.day(day)
    assert joined.alerts == []
    assert joined.sensed.profile.rates[Name.STRANGERS].mean > 0.5


# What a thief's questions look like, whose hits that is, and after how many the practice must have been moved.
FAR_OFF = {"network": "198.51.100.0/24", "software": "script", "session": "thief"}
THEFTS = {
    "misses": ({"missed": True}, Name.MISSES, 40),
    "unusual insurers": ({"insurer": "0099999999"}, Name.INSURERS, 40),
    "a sorted list": ({"features": Features(75, Kin.NEXT, Course.SAME, 20)}, Name.NEIGHBOURS, 15),
    "nobody known": ({}, Name.STRANGERS, 40),
    "a decoy": ({"decoy": True}, Name.DECOYS, 1),
}


@pytest.mark.parametrize(("told", "signal", "within"), THEFTS.values(), ids=THEFTS)
def test_a_theft_quarantines_within(practice: Practice, told: dict[str, object], signal: Name, within: int) -> None:
    sensed, count = practice.sensed, 0
    for at_s in later(practice):
        sensed, alerts, _ = sense(sensed, question(at_s, count, **{**FAR_OFF, **told}))
        count += 1
        if any(each.signal is signal and each.step is Step.QUARANTINED for each in alerts):
            break
    assert count <= within


@pytest.mark.parametrize("again", [0, 5])
def test_who_asks_from_elsewhere_is_seen_beside_the_practices_own_day(practice: Practice, again: int) -> None:
    """Three strangers a day among twenty-five honest questions: the practice's own share hardly moves. Nor does it help to ask
    again about those whom the thief was told of, nor that the practice has a new line the next day."""
    played = Practice(26)
    played.__dict__.update(sensed=practice.sensed, alerts=[])
    opened = 0
    for day in range(FIRST_DAY + 180, FIRST_DAY + 187):
        for number in range(3):
            played.ask(question(day * DAY_S + 9 * HOUR_S + number * 3_000, opened, **FAR_OFF))
            opened += 1
        for number in range(again):
            told = {"known": True, "since_day": FIRST_DAY + 180, **FAR_OFF}
            played.ask(question(day * DAY_S + 9 * HOUR_S + number * 3_000 + 60, 1 << 20 | number, **told))
        if day == FIRST_DAY + 181:
            played.ask(question(day * DAY_S + 10 * HOUR_S, 1 << 21, network="203.0.113.0/24", session="new line"))
        played.day(day)
        if any(each.step is Step.PRESENCE_ONLY for each in played.alerts):
            break
    (signal,) = {each.signal for each in played.alerts}
    assert signal is Name.STRANGERS_ELSEWHERE
    assert opened <= 15
    made = Move(Kind.ACCOUNT, Step.SLOWED, Step.OPEN, 0, Proved(0, ""))  # by a login of the practice's morning
    assert stepped(played.sensed, made)[0].fresh == played.sensed.fresh
    lifted, _ = stepped(played.sensed, msgspec.structs.replace(made, before=int(Step.PRESENCE_ONLY)))
    assert not lifted.fresh
    assert lifted.watch.rows[Name.STRANGERS_ELSEWHERE].e_value == 0


def test_a_practice_that_moves_is_not_alerted_to(practice: Practice) -> None:
    """Another line and other software, the same patients."""
    played, moved = Practice(27), {"network": "203.0.113.0/24", "software": "another"}
    played.__dict__.update(sensed=practice.sensed, alerts=[])
    for day in range(FIRST_DAY + 180, FIRST_DAY + 240):
        for number in range(25):
            asked = played.honest(day * DAY_S + 8 * HOUR_S + number * 900)
            played.ask(msgspec.structs.replace(asked, **moved))
    assert played.alerts == []


def test_a_state_of_fewer_signals_is_read(practice: Practice) -> None:
    """As an earlier version kept it: what it had learnt stays, what came since begins cold."""
    now = practice.sensed
    short = msgspec.structs.replace(
        now,
        watch=msgspec.structs.replace(now.watch, rows=now.watch.rows[:-1]),
        profile=msgspec.structs.replace(now.profile, rates=now.profile.rates[:-1]),
        tally=shorter(now.tally),
        days=tuple(shorter(day) for day in now.days),
    )
    read = grown(decode(encode(short)))
    assert read.profile.rates[:-1] == now.profile.rates[:-1]
    assert len(read.watch.rows) == len(read.profile.rates) == len(SIGNALS)
    assert sense(read, question((FIRST_DAY + 181) * DAY_S, 1)).waiting
    assert grown(now) is now


def shorter(tally: Tally) -> Tally:
    return msgspec.structs.replace(tally, tried=tally.tried[:-1], hits=tally.hits[:-1])


def test_look_ups_that_nobody_claims_are_seen_a_month_later(practice: Practice) -> None:
    waiting = Waiting(FIRST_DAY + 170, 0, 0, 0, 0, 0)
    at_s = (FIRST_DAY + 210) * DAY_S
    _, alerts = ripened(practice.sensed, at_s, FIRST_DAY + 170, (Ripe(waiting, False),) * 40)
    assert alerts[-1].signal is Name.UNCLAIMED
    assert alerts[-1].step is Step.QUARANTINED


def test_the_same_identifiers_count_once_a_day(practice: Practice) -> None:
    sensed = practice.sensed
    for at_s in list(later(practice))[:200]:
        sensed, alerts, _ = sense(sensed, question(at_s, 7, missed=True))
        assert alerts == ()
    assert sensed.tally.tried[Name.MISSES] == 1


def test_a_theft_teaches_nothing_once_it_was_seen_or_denied(practice: Practice) -> None:
    """Seen by an alarm, though nobody was limited by then, or by whoever limited the account."""
    day = FIRST_DAY + 181
    calm, alarmed = practice.sensed, practice.sensed
    calm, _, _ = sense(calm, question(day * DAY_S, 1))
    calm, _ = closed(calm, (day + 1) * DAY_S)
    alarms: list[Alert] = []
    for number in range(20):
        alarmed, more, _ = sense(alarmed, question(day * DAY_S + number, number, insurer="0099999999"))
        alarms += more
    assert alarms
    alarmed, _ = closed(alarmed, (day + 1) * DAY_S)
    ripe = Ripe(Waiting(day, 1 << Name.STRANGERS, 1 << Name.STRANGERS, 1, 75, 9), True)
    down = Move(Kind.ACCOUNT, Step.OPEN, Step.SLOWED, 0, Contained("a", Step.SLOWED, "b"))
    limited = msgspec.structs.replace(stepped(practice.sensed, down)[0], tally=Tally(day), days=())
    for state, openings in (
        (calm, (ripe, msgspec.structs.replace(ripe, denied=True, claimed=False))),
        (alarmed, (ripe,)),
        (closed(stepped(limited, down)[0], (day + 1) * DAY_S)[0], (ripe,)),
    ):
        after, _ = ripened(state, (day + 32) * DAY_S, day, openings)
        assert after.profile == state.profile
        assert all(each.day > day for each in after.days)
    taught, _ = ripened(calm, (day + 32) * DAY_S, day, (ripe,))
    assert taught.profile.day == day


def test_a_proof_forgives_circumstances_and_two_operators_everything(practice: Practice) -> None:
    sensed, state = practice.sensed, Containment(Kind.ACCOUNT)
    for at_s in list(later(practice))[:40]:
        sensed, _, _ = sense(sensed, question(at_s, at_s, missed=True, **FAR_OFF))
    state, made = move(state, Contained("a.martin", Step.STEP_UP, "vol"), 1)
    assert made
    sensed, _ = stepped(sensed, made)
    assert not sensed.tally.clean
    _, made = move(state, Proved(60_000_000, ""), 61_000_000)
    assert made
    after, _ = stepped(sensed, made)
    assert after.step == Step.SLOWED
    assert 0 < after.watch.rows[Name.MISSES].e_value <= 1_001
    assert after.watch.rows[Name.SURROUNDINGS].e_value == 0
    asked, _ = move(state, Released("a.martin", Step.OPEN, "clos"), 2)
    _, made = move(asked, Released("b.durand", Step.OPEN, "clos"), 3)
    assert made
    after, _ = stepped(sensed, made)
    assert after.step == Step.OPEN
    assert not after.tally.clean
    assert all(row.e_value == 0 for row in after.watch.rows)


questions = st.builds(
    Question,
    at_s=st.integers(FIRST_DAY * DAY_S, (FIRST_DAY + 3) * DAY_S),
    missed=st.booleans(),
    known=st.booleans(),
    asked=st.integers(0, 3),
    insurer=st.sampled_from(("1", "2")),
    features=st.builds(Features, st.integers(0, 99), st.sampled_from(Kin), st.sampled_from(Course), st.integers(-1, 9)),
    network=st.sampled_from(("a", "b")),
    session=st.sampled_from(("x", "y")),
    decoy=st.booleans(),
)


@given(st.lists(questions, max_size=30))
def test_a_state_kept_at_any_moment_goes_on_the_same(asked: list[Question]) -> None:
    straight = kept = begun("nurse", FIRST_DAY * DAY_S)
    for each in asked:
        one, other = sense(straight, each), sense(decode(encode(kept)), each)
        assert one == other
        straight, kept = one.sensed, other.sensed
        assert (one.waiting is not None) == (not each.missed and not each.known)
        assert straight.tally.people <= len(asked)


def test_a_state_stays_small_whatever_is_asked() -> None:
    sensed = begun("hospital", FIRST_DAY * DAY_S)
    for number in range(ASKED_MAX + 50):
        at_s = FIRST_DAY * DAY_S + number * 16
        told = {"network": str(number), "session": str(number)}
        sensed, _, _ = sense(sensed, question(at_s, number, **told))
    assert len(encode(sensed)) < 24_000
    for day in range(FIRST_DAY + 1, FIRST_DAY + 100):
        sensed, _, _ = sense(sensed, question(day * DAY_S, 1, known=True))
    assert len(sensed.days) == DAYS_MAX
    assert len(encode(sensed)) < 6_000


KEY, OTHER_KEY = device_class("k" * 43, ""), device_class("", "c" * 43)


def logins(sensed: Sensed, days: range, device: Any) -> tuple[Sensed, list[Alert]]:
    """A login a day with a known patient; `device`: of a day."""
    alerts: list[Alert] = []
    for day in days:
        asked = question(day * DAY_S + 9 * HOUR_S, 7, known=True, device=device(day))
        sensed, found, _ = sense(sensed, asked)
        alerts += found
    return sensed, alerts


def test_a_device_is_told_of_accounts_whose_keys_last() -> None:
    begin, theft = FIRST_DAY, FIRST_DAY + 60
    known, _ = logins(begun(GP, begin * DAY_S), range(begin, theft), lambda _: KEY)
    assert known.bound == (59, 59)
    same, quiet = logins(known, range(theft, theft + 40), lambda _: KEY)
    assert not quiet
    assert same.watch.rows[Name.SURROUNDINGS].e_value < 1e-3
    stolen, alerts = logins(known, range(theft, theft + 1), lambda _: OTHER_KEY)  # from where it always is
    assert not alerts
    assert stolen.watch.rows[Name.SURROUNDINGS].e_value > known.watch.rows[Name.SURROUNDINGS].e_value
    assert stolen.watch.capital.fresh > 0 == same.watch.capital.fresh  # all signals are bet on with more
    again, _ = logins(stolen, range(theft + 1, theft + 2), lambda _: OTHER_KEY)
    assert again.watch.capital.fresh == stolen.watch.capital.fresh  # it is known now


def guesses(device: int) -> int:
    """How many of a thief's wrong guesses are answered, on a practice known for a year."""
    sensed = begun(GP, FIRST_DAY * DAY_S)
    for day in range(FIRST_DAY, FIRST_DAY + 365):
        for number in range(3):
            sensed = sense(sensed, question(day * DAY_S + 9 * HOUR_S + number * 900, number, device=KEY)).sensed
    for number in range(1, 100):
        at_s = (FIRST_DAY + 365) * DAY_S + number * 300
        asked = question(at_s, number, missed=True, device=device, session="theft")
        sensed, alerts, _ = sense(sensed, asked)
        if any(alert.step >= Step.PRESENCE_ONLY for alert in alerts):
            return number
    return 100


def test_a_thief_with_a_key_of_its_own_is_seen_sooner_than_on_the_practice_s_computer() -> None:
    assert guesses(OTHER_KEY) < guesses(KEY)


def test_whoever_draws_a_key_at_each_login_is_not_new_each_time() -> None:
    sensed, alerts = logins(begun(GP, FIRST_DAY * DAY_S), range(FIRST_DAY, FIRST_DAY + 400), lambda day: day)
    assert not alerts
    assert sensed.watch.capital.fresh == 0
    assert len(sensed.devices) <= 8
    assert len(encode(sensed)) < 4_000


@pytest.mark.parametrize("every", [2, 5, 10, 17, 40])
def test_some_logins_by_browser_and_new_computers_move_nobody(every: int) -> None:
    """Up to all that a device may be new where keys last, for four years."""
    days = range(FIRST_DAY, FIRST_DAY + 1_460)
    sensed, alerts = logins(begun(GP, FIRST_DAY * DAY_S), days, lambda day: KEY if day % every else day)
    assert not alerts
    assert sensed.watch.rows[Name.SURROUNDINGS].e_value < 1


def test_a_device_is_a_few_bits_of_what_a_token_is_bound_to() -> None:
    assert device_class("", "") == 0
    assert 0 < KEY < 2**32
    assert KEY != OTHER_KEY == device_class("k" * 43, "c" * 43)  # the certificate lasts, where there are both


def test_logins_by_nobody_s_key_are_as_before() -> None:
    sensed, _ = logins(begun(GP, FIRST_DAY * DAY_S), range(FIRST_DAY, FIRST_DAY + 30), lambda _: 0)
    assert (sensed.devices, sensed.bound) == ((), (0, 0))
