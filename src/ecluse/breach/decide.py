"""Who is told of a breach: register, authority, persons, controllers; decided by rules over the facts, never by a score alone.

Each decision is taken when the mildest and the worst reading of the facts agree. Where they do not, the authority is told in
phases, because it is for the controller to show that a risk is unlikely (GDPR 33(1)); the decision about persons stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ecluse.breach.facts import Facts
from ecluse.breach.harm import Judged, Reason, judge, readable, reason
from ecluse.breach.known import Gap, Known, asked, filled, known, readings
from ecluse.breach.score import Severity
from ecluse.breach.tables import RISKS, Duty, RiskLevel, in_force, risk_table

SCORE_RAISES: dict[str, RiskLevel] = {"low": "none", "medium": "risk", "high": "high", "very_high": "high"}


class Decision(msgspec.Struct, frozen=True):
    """What is decided, each with its reasons. None: the facts do not say yet; `undecided` lists what would.

    `level` and `likelihood` are CNIL's words (Négligeable, Limitée, Importante, Maximale) of the worst reading.
    """

    notify_authority: bool
    communicate_persons: bool | None
    why: tuple[Reason, ...]
    undecided: tuple[str, ...]
    severity: str
    likelihood: str
    risk: RiskLevel | None


def decide(facts: Facts, day: date, score: Severity | None = None, *, duties: Sequence[Duty] | None = None) -> Decision:
    """Decide about a breach known on `day`, by the duties then in force (those of risk.toml unless others are given).

    `score`: one that somebody judged; it may raise a decision, never lower it. Raises `breach_day_invalid`.
    """
    duty = in_force(duties or risk_table().duties, day)
    found, gaps = known(facts)
    mild, worst = readings(found, gaps)
    low, high = _judged(mild, score), _judged(worst, score)
    authority = _both(low, high, duty.notify_authority_from)
    persons = _both(low, high, duty.communicate_persons_from)
    open_gaps = _missing(found, gaps, duty, score) if None in (authority, persons) else ()
    shown = high if low.risk != high.risk else low
    words = risk_table().words
    return Decision(
        notify_authority=authority is not False,
        communicate_persons=persons,
        why=(*shown.because, *_conclusions(low, high, authority, persons)),
        undecided=tuple(asked(gaps, open_gaps)),
        severity=words.severity[shown.harm.severity],
        likelihood=words.likelihood[shown.harm.likelihood],
        risk=low.risk if low.risk == high.risk else None,
    )


def _both(low: Judged, high: Judged, least: RiskLevel) -> bool | None:
    """Whether the risk reaches `least` in both readings; None if only in the worst one."""
    reached = [RISKS.index(each.risk) >= RISKS.index(least) for each in (low, high)]
    return reached[0] if reached[0] == reached[1] else None


def _judged(found: Known, score: Severity | None) -> Judged:
    judged = judge(found)
    if score is None or score.band is None or not readable(found):
        return judged
    least = SCORE_RAISES[score.band]
    if RISKS.index(least) <= RISKS.index(judged.risk):
        return judged
    said = reason("score", band=score.band)
    return msgspec.structs.replace(judged, risk=least, because=(*judged.because, said))


def _missing(found: Known, gaps: tuple[Gap, ...], duty: Duty, score: Severity | None) -> tuple[str, ...]:
    """The gaps that matter: learning one alone, with the others at their mildest or worst, could change a decision."""

    def decided(worst: frozenset[str]) -> tuple[bool, bool]:
        reading = filled(found, gaps, worst)
        risk = RISKS.index(_judged(reading, score).risk)
        return risk >= RISKS.index(duty.notify_authority_from), risk >= RISKS.index(duty.communicate_persons_from)

    every = frozenset(each.name for each in gaps)
    mildest, worst = decided(frozenset()), decided(every)
    alone = [name for name in every if decided(frozenset({name})) != mildest or decided(every - {name}) != worst]
    return tuple(sorted(alone or every))


def _conclusions(low: Judged, high: Judged, authority: bool | None, persons: bool | None) -> list[Reason]:
    said = risk_table().words.risk
    yes, no = {"risk": said[low.risk]}, {"risk": said[high.risk]}
    return [
        reason("register"),
        {True: reason("notify", **yes), False: reason("notify_not", **no), None: reason("notify_presumed")}[authority],
        {True: reason("persons", **yes), False: reason("persons_not", **no), None: reason("persons_open")}[persons],
    ]
