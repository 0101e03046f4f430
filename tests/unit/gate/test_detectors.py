"""Events become trials, trials money, money alerts that explain themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise, permutations
from random import Random

import msgspec
import pytest

from ecluse.gate import detectors
from ecluse.gate.alerts import Alert, sentence_en, sentence_fr
from ecluse.gate.detectors import (
    Asked,
    DayClosed,
    DetailsChanged,
    Entered,
    Event,
    Matured,
    Shown,
    Watch,
    observe,
    proved,
    released,
    watch,
)
from ecluse.gate.features import Course, Features
from ecluse.gate.features import Step as Kin
from ecluse.gate.profile import Lesson, Taught, Usual, cold, learn, usual
from ecluse.gate.signals import SIGNALS, Name, Proof, Step, thresholds, usual_rate

GP = "general_practitioner"
START_S = 1_780_000_000
DAY_S = 86_400
HERE, ELSEWHERE = 7, 5_000
CALM = Features(75, Kin.FAR, Course.TURNED, 240, False)


def known_account() -> Usual:
    """A general practitioner after a year and a half."""
    profile = cold(GP)
    for day in range(1, 350):
        missed = 1 if day % 4 else 0  # of 25 a day, and of the 8 that are new
        taught = {Name.MISSES: Taught(0, 21, missed, 4), Name.MISSES_OF_NEW: Taught(0, 6, missed, 2)}
        taught[Name.UNCLAIMED] = Taught(0, 21, 4, 4)
        for signal in SIGNALS:
            if signal.proof is Proof.EACH:
                hits = round(21 * usual_rate(GP, signal) + 0.5 * (-1) ** day)
                taught[signal.name] = Taught(max(0, hits), 21, 0, 4)
        profile = learn(profile, Lesson(day, True, taught, 7, {HERE: 21}, {75: 21}, {9: 1, 10: 1}))
    return usual(profile)


USUAL = known_account()


def asked(at_s: int, **told: object) -> Asked:
    plain: dict[str, object] = {"missed": False, "known": False, "insurer": HERE, "features": CALM}
    return Asked(at_s, **(plain | told))  # type: ignore[arg-type]


def after(watched: Watch, events: Iterator[Event]) -> tuple[Watch, list[Alert]]:
    alerts: list[Alert] = []
    for event in events:
        watched, new = observe(watched, USUAL, event)
        alerts += new
    return watched, alerts


def honest(days: int, seed: int) -> Iterator[Event]:
    """Days of a general practitioner whose rates are the usual ones."""
    draw = Random(seed)
    for day in range(days):
        at_s = START_S + day * DAY_S
        yield Entered(at_s, draw.random() < 0.1, 9)
        for number in range(25):
            known, missed = draw.random() < 0.7, draw.random() < 0.03
            step = Kin.NEAR if draw.random() < 0.005 else Kin.FAR
            course = Course.SAME if draw.random() < 0.36 else Course.TURNED
            told = Features(75 if draw.random() < 0.9 else 33, step, course, int(draw.expovariate(1 / 300)))
            insurer = HERE if draw.random() < 0.93 else ELSEWHERE
            yield asked(at_s + number * 900, missed=missed, known=known and not missed, insurer=insurer, features=told)
            yield Matured(at_s + number * 900 + 1, draw.random() < 0.87)
        yield DayClosed(at_s + 40_000, 7 + draw.randrange(5))


YEAR, YEAR_ALERTS = after(watch(START_S), honest(250, 1))
LATER_S = START_S + 250 * DAY_S


def test_a_year_of_honest_work_alerts_nobody_and_stays_small() -> None:
    assert not YEAR_ALERTS
    assert len(msgspec.msgpack.encode(YEAR)) < 1_000
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(YEAR), type=Watch) == YEAR


@pytest.mark.parametrize("seed", range(2, 10))
def test_other_honest_years_alert_nobody_either(seed: int) -> None:
    assert not after(watch(START_S), honest(125, seed))[1]


# What a thief does at each look-up after a login from elsewhere; the signal, and look-ups at most to each step.
THEFTS: list[tuple[str, Callable[[int, Random], Event], Name, dict[Step, int]]] = [
    (
        "guesses",
        lambda at_s, draw: asked(at_s, missed=draw.random() < 0.5),
        Name.MISSES,
        {Step.PRESENCE_ONLY: 50, Step.QUARANTINED: 60},
    ),
    (
        "guesses between known patients",
        lambda at_s, draw: asked(at_s, missed=draw.random() < 0.5) if draw.random() < 0.1 else asked(at_s, known=True),
        Name.MISSES_OF_NEW,
        {Step.QUARANTINED: 900},
    ),
    (
        "never bills",
        lambda at_s, draw: Matured(at_s, draw.random() > 0.95),
        Name.UNCLAIMED,
        {Step.PRESENCE_ONLY: 20, Step.QUARANTINED: 30},
    ),
    (
        "asks about strangers",
        lambda at_s, draw: asked(at_s, known=draw.random() > 0.99),
        Name.STRANGERS,
        {Step.PRESENCE_ONLY: 25, Step.QUARANTINED: 32},
    ),
    (
        "has a list of everywhere",
        lambda at_s, draw: asked(at_s, insurer=ELSEWHERE if draw.random() < 0.6 else HERE),
        Name.INSURERS,
        {Step.PRESENCE_ONLY: 55, Step.QUARANTINED: 70},
    ),
    (
        "has a list of people born anywhere",
        lambda at_s, draw: asked(at_s, features=Features(75 if draw.random() < 0.1 else 33, Kin.FAR)),
        Name.BIRTHPLACES,
        {Step.PRESENCE_ONLY: 35, Step.QUARANTINED: 45},
    ),
    (
        "counts",
        lambda at_s, _: asked(at_s, features=Features(75, Kin.NEXT)),
        Name.NEIGHBOURS,
        {Step.PRESENCE_ONLY: 8, Step.QUARANTINED: 12},
    ),
    (
        "follows a sorted list",
        lambda at_s, _: asked(at_s, features=Features(75, Kin.FAR, Course.SAME)),
        Name.COURSE,
        {Step.PRESENCE_ONLY: 30},
    ),
    (
        "is a machine",
        lambda at_s, _: asked(at_s, features=Features(75, Kin.FAR, Course.TURNED, 1)),
        Name.PACE,
        {Step.SLOWED: 15},
    ),
    ("comes at night", lambda at_s, _: Entered(at_s, False, 3), Name.HOURS, {Step.STEP_UP: 20}),
    ("always comes from elsewhere", lambda at_s, _: Entered(at_s, True, 9), Name.SURROUNDINGS, {Step.STEP_UP: 20}),
    ("copied a pass", lambda at_s, _: Shown(at_s, True), Name.FAR_PASSES, {Step.STEP_UP: 4}),
    ("opens many people each day", lambda at_s, _: DayClosed(at_s, 80), Name.SURGE, {Step.PRESENCE_ONLY: 12}),
    ("touches a decoy", lambda at_s, _: asked(at_s, decoy=True), Name.DECOYS, {Step.QUARANTINED: 1}),
]


@pytest.mark.parametrize(
    ("event", "name", "steps"), [theft[1:] for theft in THEFTS], ids=[theft[0] for theft in THEFTS]
)
def test_a_theft_is_seen(event: Callable[[int, Random], Event], name: Name, steps: dict[Step, int]) -> None:
    draw, reached = Random(5), dict.fromkeys(Step, 1_000)
    watched, _ = observe(YEAR, USUAL, Entered(LATER_S, True, 9))
    for number in range(1, 900):
        watched, alerts = observe(watched, USUAL, event(LATER_S + number * 30, draw))
        for alert in alerts:
            if alert.signal is name:
                assert alert.step <= SIGNALS[name].gravest
                reached.update({step: min(number, reached[step]) for step in Step if step <= alert.step})
    assert {step: reached[step] for step, most in steps.items() if reached[step] > most} == {}
    assert max(step for step in Step if reached[step] < 1_000) == SIGNALS[name].gravest


def test_alerts_explain_themselves() -> None:
    watched, _ = observe(YEAR, USUAL, Entered(LATER_S, True, 9))
    events = (asked(LATER_S + number * 40, missed=number % 2 == 0) for number in range(80))
    _, alerts = after(watched, events)
    last = [alert for alert in alerts if alert.signal is Name.MISSES][-1]
    assert last.e_value_log10 >= 6
    assert last.alpha == 1e-6
    assert sentence_en(last).startswith(
        f"{last.evidence.hits} of {last.evidence.tries} typed questions confirmed nothing"
    )
    assert sentence_en(last).endswith("on 2027-02-02; usually 3 %, at most 4.64 %.")
    assert sentence_fr(last).endswith("le 02/02/2027 ; d'habitude 3 %, au plus 4,64 %.")
    for name in Name:
        other = msgspec.structs.replace(last, signal=name)
        assert str(last.evidence.hits) in sentence_fr(other)
        assert sentence_en(other).endswith("%.")


def signal_e(watched: Watch, name: Name) -> float:
    return watched.rows[name].e_value


def worst(watched: Watch, name: Name, choices: list[tuple[Event, Event]], left: int) -> float:
    """The highest mean of a signal's E and of what is not paid in, for an account that chooses events and rates by the past."""
    if not left:
        return signal_e(watched, name) + 1 - watched.rows[name].paid
    means = []
    for hit, miss in choices:
        high, low = (worst(observe(watched, USUAL, each)[0], name, choices, left - 1) for each in (hit, miss))
        bound = USUAL.bounds[name]
        means += [low, bound * high + (1 - bound) * low]
    return max(means)


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        # new surroundings are paid for, and are a hit: the payment must come after the bet
        (Name.SURROUNDINGS, [(Entered(START_S + 9_000 * DAY_S, True, 9), Entered(START_S + DAY_S, False, 9))]),
        (Name.HOURS, [(Entered(START_S + 800 * DAY_S, True, 3), Entered(START_S + DAY_S, True, 9))]),
        # a machine's wait is short and an honest one long: neither may choose its stake
        (Name.PACE, [(asked(START_S + 700 * DAY_S, features=Features(75, Kin.FAR, Course.SAME, 0)), asked(START_S))]),
        (Name.MISSES, [(asked(START_S + 1, missed=True), asked(START_S + 300 * DAY_S))]),
    ],
    ids=lambda value: value.name if isinstance(value, Name) else "",
)
def test_no_account_below_its_bounds_gains_in_the_mean(name: Name, choices: list[tuple[Event, Event]]) -> None:
    assert worst(watch(START_S), name, choices, 9) <= 1 + 1e-9


def test_people_in_no_order_go_on_in_the_same_course_less_often_than_the_bound() -> None:
    """All orders of seven people: whatever the turns before, how often the next number goes on as the last one did."""
    orders: Counter[tuple[bool, ...]] = Counter()
    for people in permutations(range(7)):
        rises = [later > earlier for earlier, later in pairwise(people)]
        courses = tuple(now == before for before, now in pairwise(rises))
        orders.update(courses[:length] for length in range(len(courses) + 1))
    most = max(count / orders[courses[:-1]] for courses, count in orders.items() if courses and courses[-1])
    assert most == pytest.approx(3 / 7)  # four rise, one falls: it may well go on; (k + 2) / (2k + 6) after k
    assert most < USUAL.bounds[Name.COURSE]


OF_NEW = ("MISSES_OF_NEW",)
OF_A_NIR = ("BIRTHPLACES", "NEIGHBOURS", "COURSE", "PACE")


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (asked(1), {"MISSES", "STRANGERS", *OF_NEW, "INSURERS", *OF_A_NIR}),
        (asked(1, missed=True), {"MISSES", *OF_NEW, "INSURERS", *OF_A_NIR}),
        (asked(1, known=True), {"MISSES", "STRANGERS"}),
        (asked(1, known=True, again=True), set()),
        (asked(1, features=Features()), {"STRANGERS", "MISSES", *OF_NEW, "INSURERS"}),
        (asked(1, decoy=True), set()),
        (Entered(1, True, 9), {"SURROUNDINGS", "HOURS"}),
        (DayClosed(1, 5), {"SURGE"}),
        (DetailsChanged(1), set()),
    ],
)
def test_what_is_tried(event: Event, names: set[str]) -> None:
    trials = detectors.TRIALS[type(event)](event, USUAL)
    assert {Name(number).name for number, _ in trials} == names


def test_unknown_habits_are_not_tried() -> None:
    new = usual(cold(GP))
    tried = {
        number for event in (asked(1), Entered(1, True, 3)) for number, _ in detectors.TRIALS[type(event)](event, new)
    }
    assert not tried & {Name.INSURERS, Name.BIRTHPLACES, Name.HOURS}


def test_a_known_patient_read_again_and_again_waters_nothing_down() -> None:
    _, before = observe(YEAR, USUAL, asked(LATER_S))
    watched, _ = after(YEAR, (asked(LATER_S + number, known=True, again=True) for number in range(500)))
    assert watched.rows == YEAR.rows
    assert not before


def robbed() -> Watch:
    watched, _ = observe(YEAR, USUAL, Entered(LATER_S, True, 9))
    machine = Features(75, Kin.FAR, Course.TURNED, 1)
    events = (asked(LATER_S + number * 30, missed=True, features=machine) for number in range(11))
    return after(watched, events)[0]


def test_a_proof_explains_circumstances_and_only_a_step_up_softens_the_rest() -> None:
    watched = robbed()
    assert signal_e(watched, Name.MISSES) > 1e5
    assert signal_e(watched, Name.PACE) > 1
    for lifted, most in ((Step.SLOWED, 1e30), (Step.PRESENCE_ONLY, 1e30), (Step.STEP_UP, 1_000.001)):
        softened = proved(watched, lifted)
        assert signal_e(softened, Name.PACE) == 0
        assert 999 < signal_e(softened, Name.MISSES) <= most
    assert signal_e(proved(watched, Step.SLOWED), Name.MISSES) == signal_e(watched, Name.MISSES)


def test_a_changed_bank_account_is_watched_more_closely_like_a_new_device() -> None:
    def misses_until(watched: Watch, step: Step) -> int:
        for number in range(1, 200):
            watched, alerts = observe(watched, USUAL, asked(LATER_S + number * 30, missed=number % 2 == 0))
            if any(alert.step >= step for alert in alerts if alert.signal is Name.MISSES):
                return number
        return 200

    changed, alerts = observe(YEAR, USUAL, DetailsChanged(LATER_S))
    new_device, _ = observe(YEAR, USUAL, Entered(LATER_S, True, 9))
    assert not alerts
    assert changed.rows == YEAR.rows
    assert YEAR.paid < changed.paid <= 1
    for step in (Step.SLOWED, Step.PRESENCE_ONLY, Step.QUARANTINED):
        assert misses_until(changed, step) == misses_until(new_device, step) < misses_until(YEAR, step)


def test_two_operators_begin_anew_without_new_capital() -> None:
    cleared = released(robbed())
    assert all(row.e_value == 0 for row in cleared.rows)
    assert cleared.paid == robbed().paid
    again, alerts = after(cleared, (asked(LATER_S + 9_000 + number * 30, missed=True) for number in range(30)))
    assert alerts
    assert again.paid <= 1


def test_each_step_is_ten_times_rarer_and_the_last_has_alpha() -> None:
    for signal in SIGNALS:
        rows = thresholds(signal)
        assert [step for _, step in rows] == [step for step in Step if Step.OPEN < step <= signal.gravest]
        assert all(least == pytest.approx(10 ** (step + 2)) for least, step in rows)
