"""Deadlines of a breach: dated rules (law/clocks.toml) over what is known of the times. Pure: `now` comes in as a value.

Hours run through nights, week-ends and changes of hour. A month ends with the whole day of the same number, in Paris. Where a
text lets one wait for a working day, the limit stays and `may_submit_by` says until when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal

import msgspec

from ecluse.breach.tables import Row, in_force, load
from ecluse.kernel.days import PARIS, add_working_days, is_working_day, months_after, paris_day

Regime = Literal["gdpr", "dora", "nis2", "lopmi"]


class Limit(Row, frozen=True):
    """How long, from the day `since` on. `from_aware_h` caps `hours` from awareness; `target_h` is a proposal, not law."""

    since: date
    source: str
    hours: float | None = None
    months: int | None = None
    from_aware_h: float | None = None
    target_h: float | None = None


class Rule(Row, frozen=True):
    """One deadline of a text."""

    regime: Regime
    say: str
    to: str
    starts: str
    limits: tuple[Limit, ...]
    for_role: Literal["controller", "processor"] | None = None
    working_day: str = ""
    always_working_day: bool = False
    if_late: str = ""
    contract: bool = False


class Rules(Row, frozen=True):
    """clocks.toml."""

    clocks: dict[str, Rule]


class Deadline(msgspec.Struct, frozen=True):
    """A deadline: `due` is an instant; `due_day` where whole days count; `at_once` where the text says no delay at all."""

    id: str
    regime: Regime
    what: str
    to: str
    source: str
    started: datetime
    due: datetime
    due_day: date | None = None
    at_once: bool = False
    may_submit_by: datetime | None = None
    may_submit_source: str = ""
    if_late: str = ""

    @property
    def last(self) -> datetime:
        """The last instant that is not late."""
        return self.may_submit_by or self.due


@cache
def rules() -> dict[str, Rule]:
    """The rules, by name."""
    return load("clocks.toml", Rules).clocks


def deadline(
    name: str,
    started: datetime,
    *,
    aware: datetime | None = None,
    may_wait: bool = False,
    contract_h: float | None = None,
    book: Mapping[str, Rule] | None = None,
) -> Deadline:
    """The deadline of rule `name` that began at `started`. `may_wait`: DORA's week-end rule holds."""
    rule = (book or rules())[name]
    limit = in_force(rule.limits, paris_day(aware or started))
    due, due_day = _due(limit, started, aware, contract_h if rule.contract else None)
    wait = rule.working_day and (may_wait or rule.always_working_day)
    later = _next_working_noon(due) if wait else None
    at_once = limit.hours is None and limit.months is None
    return Deadline(
        id=name,
        regime=rule.regime,
        what=rule.say,
        to=rule.to,
        source=limit.source,
        started=started.astimezone(UTC),
        due=due,
        due_day=due_day,
        at_once=at_once,
        may_submit_by=later,
        may_submit_source=rule.working_day if later else "",
        if_late=rule.if_late,
    )


def _due(
    limit: Limit, started: datetime, aware: datetime | None, contract_h: float | None
) -> tuple[datetime, date | None]:
    if limit.months is not None:
        day = months_after(paris_day(started), limit.months)
        return datetime.combine(day, time(23, 59, 59), PARIS).astimezone(UTC), day
    hours = next(each for each in (limit.hours, contract_h, limit.target_h, 0.0) if each is not None)
    due = started.astimezone(UTC) + timedelta(hours=hours)
    if aware is not None and limit.from_aware_h is not None:
        cap = aware.astimezone(UTC) + timedelta(hours=limit.from_aware_h)
        due = (
            min(due, cap) if started <= cap else due
        )  # classified after the cap: the hours from classification alone (5(2))
    return due, None


def _next_working_noon(due: datetime) -> datetime | None:
    day = paris_day(due)
    if is_working_day(day):
        return None
    return datetime.combine(add_working_days(day, 1), time(12), PARIS).astimezone(UTC)


def utc(instant: datetime) -> str:
    """RFC 3339 in UTC, as `2026-03-06T08:00:00Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def paris(instant: datetime) -> str:
    """RFC 3339 with the offset of Paris on that day."""
    return instant.astimezone(PARIS).isoformat()
