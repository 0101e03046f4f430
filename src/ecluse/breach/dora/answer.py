"""`ecluse breach dora`: the classification, the deadlines and the reports that the facts ask for. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

from ecluse.breach.dora.classify import classify, stated
from ecluse.breach.dora.due import due
from ecluse.breach.dora.incident import Dora
from ecluse.breach.dora.report import reports
from ecluse.breach.facts import BAD_FACTS
from ecluse.breach.tables import version
from ecluse.kernel.days import paris_day

NAMES = {
    "9(1)": "art9_1_met",
    "9(2)": "art9_2_met",
    "9(3)": "art9_3_met",
    "9(4)": "art9_4_met",
    "9(5)(a)": "art9_5_a_met",
    "9(5)(b)": "art9_5_b_met",
    "9(6)": "art9_6_met",
}


def answer(facts: Dora, today: date) -> dict[str, Any]:
    """Every answer that the facts ask for; `today` dates the figures where no instant was sent. Raises `facts_invalid`."""
    moments = (facts.aware, facts.classified, facts.initial_submitted, facts.last_intermediate)
    day = next((paris_day(each) for each in moments if each), today)
    told: dict[str, Any] = {}
    why: list[str] = []
    if stated(facts):
        found = classify(facts, day)
        told |= {"major": found.major, "critical_services": found.critical, "criteria": found.criteria}
        told |= {NAMES[name]: met for name, met in found.met.items() if met is not None}
        told |= {"clients": found.clients} if found.clients is not None else {}
        told |= {"undecided": list(found.undecided)} if found.undecided else {}
        why += found.why
    if any(moments):
        dated = due(facts)
        why += dated.pop("why")
        told |= dated
    if facts.report is not None:
        told |= reports(facts, facts.report, day)
    if not told and not why:
        raise BAD_FACTS("no fact was sent", fix='Send at least {"clients": …} or {"classified": …}.')
    return told | {"why": why, "rules_version": version()}
