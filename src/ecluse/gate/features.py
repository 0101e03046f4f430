"""What a question has in common with the one before it, as a door may hand it on: coarse classes, never an identifier.

The hub's rules see keyed pseudonyms, which hide that two numbers follow each other. Only the door sees the number; it keeps the
last one of an account in its memory (`Last`) and hands over `Features`, from which no number can be worked out.
NIR: sex 1, year 2, month 2, department and commune 5, order 3 (décret n° 82-103 du 22 janvier 1982, article 4).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

GAP_S_MAX = 3600  # a longer pause says nothing more of pace, and would tell when somebody works
TYPED_S_MIN = 3  # nobody types or reads out fifteen digits faster
REGULAR_PERCENT = 10  # two waits this near each other: one time in twenty between people (exponential waits)
ORDER_STEP_MAX = 20  # how far the last three digits may be apart and still be called next to each other
ABROAD, UNKNOWN = 99, 0
CORSICA = {"2A": "19", "2B": "18"}  # as numbers, the way the NIR's key is computed


class Step(IntEnum):
    """How far the NIR is from that of the last question."""

    NONE = 0  # no question before, or one without a NIR
    FAR = 1
    NEAR = 2  # same sex, year and month of birth: neighbours in a sorted list
    NEXT = 3  # of the same commune too, and close in order: somebody counts


class Course(IntEnum):
    """Whether the numbers go on rising, or falling, as they did at the last question."""

    NONE = 0
    TURNED = 1
    SAME = 2


class Features(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of one question: department of birth (1 to 98, 99 abroad, 0 unknown), step, course, seconds since the last question.

    `gap_s` is whole, at most `GAP_S_MAX`, and -1 where no question came before; `regular`: the wait was as long as the last.
    """

    birth_department: int = UNKNOWN
    step: Step = Step.NONE
    course: Course = Course.NONE
    gap_s: int = -1
    regular: bool = False

    @property
    def machine_paced(self) -> bool:
        """Whether this came faster than somebody types, or like clockwork."""
        return self.gap_s < TYPED_S_MIN or self.regular


NOTHING = Features()


class Last:
    """The last question of an account, in the memory of one door: it holds a NIR, so it has no text form and is never written."""

    __slots__ = ("at_s", "gap_s", "nir", "rising")

    def __init__(self, nir: str, at_s: float, gap_s: float, rising: bool | None) -> None:
        self.nir = nir
        self.at_s = at_s
        self.gap_s = gap_s
        self.rising = rising


def features(nir: str, at_s: float, last: Last | None) -> tuple[Features, Last]:
    """What is handed on of a question about `nir` (13 or 15 characters, checked before), and what the door remembers of it.

    `at_s`: seconds of any clock that does not go back.
    """
    number = _number(nir)
    department = _department(nir)
    if last is None:
        return Features(department), Last(number, at_s, -1, None)
    gap_s = max(0.0, at_s - last.at_s)
    rising = None if number == last.nir else number > last.nir
    course = Course.NONE if None in (rising, last.rising) else (Course.SAME if rising == last.rising else Course.TURNED)
    told = Features(
        department, _step(number, last.nir), course, int(min(gap_s, GAP_S_MAX)), _regular(gap_s, last.gap_s)
    )
    return told, Last(number, at_s, gap_s, last.rising if rising is None else rising)


def _number(nir: str) -> str:
    return nir[:5] + CORSICA.get(nir[5:7], nir[5:7]) + nir[7:13]


def _department(nir: str) -> int:
    place = CORSICA.get(nir[5:7], nir[5:7])
    return int(place) if place.isdigit() else UNKNOWN


def _step(number: str, before: str) -> Step:
    if number == before or number[:5] != before[:5]:
        return Step.FAR  # the same person twice is a typing mistake, not a list
    close = number[:10] == before[:10] and abs(int(number[10:]) - int(before[10:])) <= ORDER_STEP_MAX
    return Step.NEXT if close else Step.NEAR


def _regular(gap_s: float, before_s: float) -> bool:
    return 0 < gap_s < GAP_S_MAX and abs(gap_s - before_s) * 100 <= REGULAR_PERCENT * before_s
