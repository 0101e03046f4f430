"""Whether an ICT-related incident is major: Delegated Regulation (EU) 2024/1772, articles 1, 6, 8 and 9.

Every comparison is strict, as the text says "higher than" and "longer than". A threshold of which nothing was stated is None: the
incident is then major, or not, only if that would change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

import msgspec

from ecluse.breach.dora.incident import Incident, Recurring
from ecluse.breach.tables import Row, in_force, load

FOUR = ("media", "complaints", "regulatory_requirements_not_met", "loss_of_clients")
ALONE = "9(5)(b)"  # enough by itself, where critical services are affected (art. 8(1)(a))


class Values(Row, frozen=True):
    """The figures of articles 8 and 9, from the day `since` on."""

    since: date
    clients_pct: float
    clients: int
    counterparts_pct: float
    transactions_pct: float
    transactions_amount_pct: float
    duration_h: float
    downtime_h: float
    member_states: int
    costs_eur: float
    others_needed: int
    recurring_count: int
    recurring_months: float
    source: str


class Criterion(Row, frozen=True):
    """A criterion as field 2.5 names it, and in French."""

    name: str
    say: str


class Tables(Row, frozen=True):
    """dora.toml."""

    thresholds: tuple[Values, ...]
    criteria: dict[str, Criterion]


class Classified(msgspec.Struct, frozen=True):
    """`met` by threshold, in the order of article 9: True, False, or None where nothing was stated; `major` likewise."""

    met: dict[str, bool | None]
    critical: bool | None
    major: bool | None
    clients: int | None
    why: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def criteria(self) -> list[str]:
        """What triggered it, in the words of field 2.5, each once."""
        names = [tables().criteria[name].name for name, met in self.met.items() if met]
        return list(dict.fromkeys([*names, *(["critical services affected"] if self.critical else [])]))


@cache
def tables() -> Tables:
    """The dated figures and the criteria."""
    return load("dora.toml", Tables)


def classify(incident: Incident, day: date) -> Classified:
    """Classify an incident by the figures in force on `day`."""
    values = in_force(tables().thresholds, day)
    clients = affected_clients(incident)
    met = _thresholds(incident, values, clients)
    critical = _critical(incident)
    major = _major(met, critical, values)
    why = [*_said(met, values), *_said_critical(critical)]
    if incident.recurring is not None:
        together, say = _recurring(incident.recurring, values)
        alone = False if major is None and not _stated(incident) else major
        major, why = (True if together else alone), [*why, say]
    if major is not None:
        rule = "art. 8(1)" if incident.recurring is None else "art. 8"
        why.append(f"Incident {'' if major else 'non '}majeur (règl. délégué (UE) 2024/1772 {rule}).")
    undecided = tuple(_missing(met, critical)) if major is None else ()
    return Classified(met, critical, major, clients, tuple(why), undecided)


def affected_clients(incident: Incident) -> int | None:
    """People the service was for: whoever the contract covers counts, dependants too (art. 1(1))."""
    people = [incident.clients, incident.covered_beneficiaries, incident.policyholders]
    if incident.policyholders is not None and incident.dependants is not None:
        people.append(incident.policyholders + incident.dependants)
    return max((each for each in people if each is not None), default=None)


def _thresholds(incident: Incident, values: Values, clients: int | None) -> dict[str, bool | None]:
    states = (
        incident.member_states if isinstance(incident.member_states, int | None) else len(set(incident.member_states))
    )
    downtime = incident.downtime_h if incident.critical_function is not False else None
    pct = incident.clients_pct
    if pct is None and clients is not None and incident.clients_total:
        pct = 100 * clients / incident.clients_total
    found = {
        "9(1)": _any(
            _over(pct, values.clients_pct),
            _over(clients, values.clients),
            _over(incident.counterparts_pct, values.counterparts_pct),
            _over(incident.transactions_pct, values.transactions_pct),
            _over(incident.transactions_amount_pct, values.transactions_amount_pct),
            incident.relevant_clients,
        ),
        "9(2)": _any(*(getattr(incident, name) for name in FOUR)),
        "9(3)": _any(_over(incident.duration_h, values.duration_h), _over(downtime, values.downtime_h)),
        "9(4)": None if states is None else states >= values.member_states,
        "9(5)(a)": _losses(incident),
        "9(5)(b)": _access(incident),
        "9(6)": _over(incident.costs_eur, values.costs_eur),
    }
    if incident.thresholds is None:
        return found
    return {
        name: bool(met) or name in incident.thresholds for name, met in found.items()
    }  # the list says all that are met


def _losses(incident: Incident) -> bool | None:
    if incident.data_losses is None:
        return False if incident.adverse_impact is False else None
    return incident.adverse_impact if incident.data_losses else False


def _access(incident: Incident) -> bool | None:
    """Art. 9(5)(b); an access whose effect on data is not known may have one, and that is what the text asks."""
    if incident.malicious_access:
        return incident.may_cause_data_loss is not False
    return incident.malicious_access


def _critical(incident: Incident) -> bool | None:
    """Art. 6: a critical function, a supervised service, or a successful malicious access."""
    facts = (
        incident.critical_services,
        incident.critical_function,
        incident.supervised_service,
        incident.malicious_access,
    )
    if incident.critical_services is False and not any(facts):
        return False
    return True if any(facts) else (False if all(each is False for each in facts[1:]) else None)


def _major(met: dict[str, bool | None], critical: bool | None, values: Values) -> bool | None:
    if critical is False:
        return False
    reached = _enough(met, values, unknown=False)
    if reached:
        return True if critical else None
    return None if _enough(met, values, unknown=True) else False


def _enough(met: dict[str, bool | None], values: Values, *, unknown: bool) -> bool:
    holds = {name: unknown if each is None else each for name, each in met.items()}
    others = sum(each for name, each in holds.items() if name != ALONE)
    return holds[ALONE] or others >= values.others_needed


def _recurring(recurring: Recurring, values: Values) -> tuple[bool, str]:
    together = (
        not recurring.microenterprise
        and recurring.count >= values.recurring_count
        and recurring.within_months <= values.recurring_months
        and recurring.same_root_cause
        and recurring.collectively_meet
    )
    say = "comptent ensemble pour un" if together else "ne comptent pas ensemble pour un"
    return together, f"Les incidents récurrents {say} incident majeur (règl. délégué (UE) 2024/1772 art. 8(2))."


def stated(incident: Incident) -> bool:
    """Whether anything was said that an incident is classified by."""
    return incident.recurring is not None or _stated(incident)


def _stated(incident: Incident) -> bool:
    names = [each for each in Incident.__struct_fields__ if each != "recurring"]
    return any(getattr(incident, name) is not None for name in names)


def _said(met: dict[str, bool | None], values: Values) -> Iterable[str]:
    for name, holds in met.items():
        if holds is not None:
            criterion, word = tables().criteria[name], "atteint" if holds else "non atteint"
            yield f"Seuil {name} {word} : {criterion.say} ({values.source})."


def _said_critical(critical: bool | None) -> list[str]:
    if critical is None:
        return []
    word = "touchés" if critical else "non touchés"
    return [f"Services critiques {word} (règl. délégué (UE) 2024/1772 art. 6)."]


def _missing(met: dict[str, bool | None], critical: bool | None) -> Iterable[str]:
    if critical is None:
        yield "critical_services : si une fonction critique ou un service soumis à contrôle est touché"
    for name, holds in met.items():
        if holds is None:
            yield f"{name} : {tables().criteria[name].say}"


def _over(value: float | None, most: float) -> bool | None:
    return None if value is None else value > most


def _any(*facts: bool | None) -> bool | None:
    """True if one holds; False if something was stated and none does; None if nothing was stated."""
    said = [each for each in facts if each is not None]
    return any(said) if said else None
