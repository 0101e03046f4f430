"""`ecluse breach assess`: each part of the facts that was sent, answered in the vocabulary of docs/breach.md. Pure.

Facts of an incident give decisions and a score; `enisa` a score of its own, which can raise those decisions; `clock`, `art34`,
`letter`, `cnil_band`, `mfa` and `logging` each their answer. What was not asked is not answered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from msgspec.structs import asdict

from ecluse.breach import practice
from ecluse.breach.clocks import deadline, paris, utc
from ecluse.breach.decide import Decision, decide
from ecluse.breach.facts import BAD_FACTS, Clock, Facts, Role
from ecluse.breach.harm import reason
from ecluse.breach.known import known, readings
from ecluse.breach.score import Severity, derived, stated
from ecluse.breach.tables import version
from ecluse.kernel.days import paris_day

ASIDE = frozenset(
    {"role", "enisa", "clock", "art34", "letter", "cnil_band", "mfa", "logging"}
)  # no fact of an incident
PARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "art34": practice.article34,
    "letter": practice.letter,
    "mfa": practice.login,
    "logging": practice.logging,
}
CNIL_FORM = {"Aucune": "Négligeable", "Limitée": "Limité", "Importante": "Important", "Maximale": "Maximal"}


def assess(facts: Facts, today: date) -> dict[str, Any]:
    """Every answer that the facts ask for; `today` dates the rules where no awareness was sent. Raises `facts_invalid`."""
    answer: dict[str, Any] = {"why": []}
    score = stated(facts.enisa) if facts.enisa else None
    about = any(getattr(facts, name) != getattr(Facts(), name) for name in set(Facts.__struct_fields__) - ASIDE)
    if about:
        day = paris_day(_aware(facts.clock)) if facts.clock else today
        _add(answer, _decided(decide(facts, day, score), facts))
        _add(answer, _scored(score or derived(readings(*known(facts))[1])))
    elif score:
        _add(answer, _scored(score))
    if facts.cnil_band:
        if "band" in answer:
            raise BAD_FACTS("two answers are named band", pointer="/cnil_band", fix="Ask for the CNIL band by itself.")
        _add(answer, {"band": practice.band(facts.cnil_band)})
    if facts.clock:
        _add(answer, _clock(facts.clock, facts.clock.role or facts.role or "controller"))
    for name, answered in PARTS.items():
        asked = getattr(facts, name)
        if asked is not None:
            _add(answer, answered(asked))
    if facts.role == "processor" and about:
        _add(answer, {"notify_each_controller": True, "own_risk_assessment_needed_first": False})
    if len(answer) == 1:
        raise BAD_FACTS("no fact was sent", fix='Send at least {"cause": …, "nature": […], "data": […]}.')
    return answer | {"rules_version": version()}


def _add(answer: dict[str, Any], more: dict[str, Any]) -> None:
    answer["why"] += more.pop("why", [])
    answer |= more


def _decided(decision: Decision, facts: Facts) -> dict[str, Any]:
    why = [str(each) for each in decision.why]
    told: dict[str, Any] = {
        "register": True,
        "notify_authority": decision.notify_authority,
        "communicate_persons": decision.communicate_persons,
    }
    if facts.role == "processor":
        told["controllers_inform_persons"] = decision.communicate_persons
        why.append(str(reason("processor")))
        why += [str(reason("controllers_inform"))] if decision.communicate_persons else []
    told |= {
        "likelihood": decision.likelihood,
        "severity": CNIL_FORM.get(decision.severity, decision.severity),
        "why": why,
    }
    return told | ({"undecided": list(decision.undecided)} if decision.undecided else {})


def _scored(score: Severity) -> dict[str, Any]:
    """The terms there are; a whole number is shown as one."""
    told = {name: value for name, value in asdict(score).items() if value not in (None, ())}
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in told.items()
    }


def _clock(clock: Clock, role: Role) -> dict[str, Any]:
    if clock.regime == "gdpr":
        return _gdpr(clock, role)
    return _nis2(clock) if clock.regime == "nis2" else _due_by("lopmi_complaint", "complaint_due", clock)


def _aware(clock: Clock) -> datetime:
    aware = clock.told_by_processor or clock.aware
    if aware is None:
        raise BAD_FACTS(
            "a clock starts when somebody is aware", pointer="/clock/aware", fix="Send aware, with its offset."
        )
    return aware


def _gdpr(clock: Clock, role: Role) -> dict[str, Any]:
    if role == "processor":
        due = deadline("gdpr_controllers", _aware(clock))
        why = [str(reason("processor"))]
        return {
            "notify_each_controller": True,
            "own_risk_assessment_needed_first": False,
            "without_undue_delay": True,
            "proposed_due": utc(due.due),
            "why": why,
        }
    return _due_by("gdpr_authority", "due", clock)


def _nis2(clock: Clock) -> dict[str, Any]:
    warning = deadline("nis2_warning", _aware(clock))
    told = {"early_warning_due": utc(warning.due)} | _due_by("nis2_notification", "notification_due", clock)
    told["why"] = [f"{warning.what} : {paris(warning.due)} ({warning.source}).", *told["why"]]
    if clock.notified:
        final = deadline("nis2_final", clock.notified)
        assert final.due_day is not None
        told["final_due_day"] = final.due_day.isoformat()
        told["why"].append(f"{final.what} : au plus tard le {final.due_day} ({final.source}).")
        if clock.ongoing:
            told["progress_report_due_day"] = told["final_due_day"]
    return told


def _due_by(rule: str, key: str, clock: Clock) -> dict[str, Any]:
    line = deadline(rule, _aware(clock))
    told: dict[str, Any] = {key: utc(line.due), f"{key}_paris": paris(line.due)}
    why = [f"{line.what} : au plus tard {paris(line.due)} ({line.source})."]
    if clock.notified:
        if clock.notified < _aware(clock):
            raise BAD_FACTS("notified before being aware", pointer="/clock/notified", fix="Check both instants.")
        late = clock.notified > line.due
        told["late"] = late
        if line.if_late:
            told["reasons_for_delay_required"] = late
        if late:
            why.append(f"En retard. À joindre : {line.if_late}." if line.if_late else "En retard.")
    if clock.reasons:
        told["reasons"] = clock.reasons
    return told | {"why": why}
