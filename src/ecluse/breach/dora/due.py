"""When DORA's reports are due: Delegated Regulation (EU) 2025/301, article 5, with its week-end rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ecluse.breach.clocks import Deadline, deadline
from ecluse.breach.dora.incident import Dora
from ecluse.kernel.days import PARIS


def due(facts: Dora) -> dict[str, Any]:
    """The deadlines whose start is known, in the zone asked for; `…_late` where the report was sent."""
    answer: dict[str, Any] = {"why": []}
    may_wait = facts.nis2 == "none" and not facts.significant
    steps = (
        ("initial", "dora_initial", facts.classified, facts.initial_submitted),
        ("intermediate", "dora_intermediate", facts.initial_submitted, facts.last_intermediate),
        ("final", "dora_final", facts.last_intermediate, facts.final_submitted),
    )
    for name, rule, started, sent in steps:
        if started is None:
            continue
        line = deadline(rule, started, aware=facts.aware, may_wait=may_wait)
        _add(answer, name, line, facts)
        if sent is not None and name != "intermediate":  # `last_intermediate` may be an update, sent later on purpose
            answer[f"{name}_late"] = sent > line.last
    if facts.classified is None and facts.aware is not None:
        answer["why"].append(
            "La notification initiale court de la classification (règl. délégué (UE) 2025/301 art. 5(1)(a))."
        )
    return answer


def _add(answer: dict[str, Any], name: str, line: Deadline, facts: Dora) -> None:
    if line.due_day:
        answer[f"{name}_due_day"] = line.due_day.isoformat()
    else:
        answer[f"{name}_due"] = shown(line.due, facts.timezone)
    answer["why"].append(f"{line.what} : {shown(line.due, 'Europe/Paris')} ({line.source}).")
    if line.may_submit_by:
        answer[f"{name}_may_submit_by"] = shown(line.may_submit_by, facts.timezone)
        until = shown(line.may_submit_by, "Europe/Paris")
        answer["why"].append(f"Jour non ouvré : envoi admis jusqu'au {until} ({line.may_submit_source}).")
    if line.if_late:
        answer["if_late"] = line.if_late


def shown(instant: datetime, zone: str) -> str:
    """RFC 3339 in that zone; UTC is written Z."""
    if zone == "Europe/Paris":
        return instant.astimezone(PARIS).isoformat()
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
