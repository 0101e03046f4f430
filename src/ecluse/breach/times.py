"""What `ecluse breach clocks` reads: the times of an incident; and every deadline that runs, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from ecluse.breach.clocks import Deadline, Regime, deadline, paris, rules, utc
from ecluse.breach.facts import BAD_FACTS, Hours, Instant, Role, Sent
from ecluse.breach.tables import version

Reasons = Annotated[str, Meta(max_length=10_000)]
State = Literal["overdue", "running", "late", "done"]


class Times(Sent, frozen=True):
    """Instants carry their offset. `aware` starts what concerns whoever asks; the others, where they differ or came later."""

    aware: Instant
    role: Role = "controller"
    told_by_processor: Instant | None = None
    high_risk_known: Instant | None = None
    contract_h: Hours | None = None
    regimes: Annotated[tuple[Regime, ...], Meta(max_length=4)] = ("gdpr",)
    classified: Instant | None = None
    initial_submitted: Instant | None = None
    last_intermediate: Instant | None = None
    recovered: Instant | None = None
    nis2: Literal["none", "essential", "important"] | None = None
    significant: bool = False
    nis2_notified: Instant | None = None
    done: dict[str, Instant] = field(default_factory=dict)
    reasons: dict[str, Reasons] = field(default_factory=dict)
    now: Instant | None = None


class Running(msgspec.Struct, frozen=True):
    """A deadline with where it stands at `now`. `reasons_required`: late, and the text wants to know why."""

    deadline: Deadline
    state: State
    done: datetime | None
    remaining_min: int
    reasons_required: bool
    reasons: str | None


def running(times: Times, now: datetime) -> list[Running]:
    """Every deadline that has begun: those not met first, by their last instant; then those done. Raises `facts_invalid`."""
    for name in sorted({*times.done, *times.reasons} - set(rules())):
        raise BAD_FACTS(f"{name[:60]!a} is not a deadline", pointer="/done", fix=f"Use one of {', '.join(rules())}.")
    found = [_standing(each, times, now) for each in _begun(times)]
    return sorted(found, key=lambda each: (each.state in ("done", "late"), each.deadline.last, each.deadline.id))


def _begun(times: Times) -> Iterator[Deadline]:
    aware = times.told_by_processor or times.aware
    starts = {
        "processor_aware": times.aware if times.role == "processor" else None,
        "controller_aware": aware,
        "high_risk_known": times.high_risk_known,
        "classified": times.classified,
        "initial_submitted": times.initial_submitted or times.done.get("dora_initial"),
        "recovered": times.recovered,
        "last_intermediate": times.last_intermediate or times.done.get("dora_intermediate"),
        "significant_aware": aware,
        "nis2_notified": times.nis2_notified or times.done.get("nis2_notification"),
        "attack_known": aware,
    }
    may_wait = times.nis2 == "none" and not times.significant
    for name, rule in rules().items():
        started = starts[rule.starts]
        mine = rule.for_role in (None, times.role)
        if rule.regime in times.regimes and mine and started is not None:
            yield deadline(name, started, aware=aware, may_wait=may_wait, contract_h=times.contract_h)


def _standing(each: Deadline, times: Times, now: datetime) -> Running:
    done = times.done.get(each.id) or {
        "dora_initial": times.initial_submitted,
        "nis2_notification": times.nis2_notified,
    }.get(each.id)
    late = not each.at_once and (done or now) > each.last
    state: State = ("late" if late else "done") if done else ("overdue" if late else "running")
    left = int((each.last - now).total_seconds() // 60)
    return Running(each, state, done, left, late and bool(each.if_late), times.reasons.get(each.id))


def shown(found: list[Running], now: datetime) -> dict[str, Any]:
    """The answer as JSON values: each instant in UTC and in Paris."""
    return {"now": _both(now), "clocks": [_shown(each) for each in found], "rules_version": version()}


def _shown(each: Running) -> dict[str, Any]:
    line = each.deadline
    answer: dict[str, Any] = {
        "id": line.id,
        "regime": line.regime,
        "what": line.what,
        "to": line.to,
        "source": line.source,
        "state": each.state,
        "at_once": line.at_once,
        "started": _both(line.started),
        "due": _both(line.due),
    }
    if line.due_day:
        answer["due_day"] = line.due_day.isoformat()
    if line.may_submit_by:
        answer |= {"may_submit_by": _both(line.may_submit_by), "may_submit_source": line.may_submit_source}
    if each.done:
        answer["done"] = _both(each.done)
    else:
        answer["remaining_min"] = each.remaining_min
    if each.reasons_required:
        answer |= {"reasons_required": True, "if_late": line.if_late, "reasons": each.reasons}
    return answer


def _both(instant: datetime) -> dict[str, str]:
    return {"utc": utc(instant), "paris": paris(instant)}
