"""What follows from what is known: each party's decision and its deadlines, computed anew from the events. Pure.

One incident has n + 1 parties: the hub, processor of all, and each insurer, controller of its own members. The hub is
controller of what it holds of professionals: where theirs was exposed, it tells the authority and them, unless a person decides
otherwise.
What the exposure proves fills the facts that nobody stated; what somebody stated stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from ecluse.breach.assess import assess
from ecluse.breach.clocks import paris, rules
from ecluse.breach.dora.answer import answer as classified
from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import BAD_FACTS, Facts, Sent, convert
from ecluse.breach.incident.events import HUB, Notified, Part, Signed
from ecluse.breach.incident.own import READERS, Asked, Own, Professional
from ecluse.breach.incident.state import Incident
from ecluse.breach.shown import categories
from ecluse.breach.tables import version
from ecluse.breach.times import Running, Times, running
from ecluse.exposure.question import Question, read_question
from ecluse.kernel.days import instant, ts_us

NOBODY = "Le journal prouve qu'aucune donnée de ses assurés n'a été affichée par ces comptes dans cette fenêtre."
CARD = "card"
TELLS_INSURERS, INTERMEDIATE = "gdpr_controllers", "dora_intermediate"
T = TypeVar("T", bound=Sent)


class Follows(msgspec.Struct, frozen=True):
    """What the rules answer for one party; `signed`: what a person signs if they agree. `dora` of insurers alone."""

    insurer: str
    answer: dict[str, Any]
    dora: dict[str, Any] | None
    signed: Signed


class Clock(msgspec.Struct, frozen=True):
    """A deadline of one party, and where it stands."""

    insurer: str
    running: Running


def stated(incident: Incident, kind: type[T], insurer: str = HUB, beside: Mapping[str, Any] | None = None) -> T:
    """The standing facts that `kind` reads, the insurer's own first; `beside`: what holds where nothing was stated."""
    told = {name: fact.value for name in READERS[kind] if (fact := incident.fact(name, insurer)) is not None}
    known = {name: value for name, value in told.items() if value is not None}
    return convert({**(beside or {}), **known}, kind)


def question_of(incident: Incident) -> Question:
    """What the exposure is to be asked now. Raises `exposure_invalid`, `amc_invalid`."""
    asked, first = stated(incident, Asked), incident.opened.question
    start, end = asked.start or _rfc(first.start_ts_us), asked.end or _rfc(first.end_ts_us)
    return read_question(
        asked.accounts or first.accounts,
        start,
        end,
        insurers=first.insurers if asked.insurers is None else asked.insurers,
        sessions=first.sessions if asked.sessions is None else asked.sessions,
        networks=first.networks if asked.networks is None else asked.networks,
    )


def part_of(incident: Incident, insurer: str) -> Part | None:
    """What the scope says of an insurer; of the hub, all of them together. None when it says nothing of it, or there is none."""
    parts = incident.scoped.parts if incident.scoped else ()
    mine = [each for each in parts if insurer in (HUB, each.insurer)]
    if not mine:
        return None
    union = 0
    for each in mine:
        union |= each.fields
    sums = {name: sum(getattr(each, name) for each in mine) for name in _SUMMED}
    lost = incident.scoped.lost if incident.scoped and insurer == HUB else 0
    if insurer == HUB:
        sums["at_most"] = sums["at_least"] + lost  # lost once, whoever's they were
    known = [each.referenced for each in mine if each.referenced is not None]
    could = [each.reachable for each in mine if each.reachable is not None]
    return Part(insurer, sum(known) if known else None, sum(could) if could else None, fields=union, **sums)


_SUMMED = ("at_least", "at_most", "times", "present", "billed", "unexplained")


def facts_of(incident: Incident, insurer: str) -> Facts:
    """What is judged for a party: stated facts, and what the exposure proves."""
    part = part_of(incident, insurer)
    role = "processor" if insurer == HUB else "controller"
    beside: dict[str, Any] = {"role": role}
    if part is not None and part.at_most:
        beside |= {"nature": ["confidentiality"], "exfiltration": "proved", "persons": part.at_most}
        beside |= {"data": list(categories(part.fields)) or ["unknown"]}
    return stated(incident, Facts, insurer, beside)


def dora_of(incident: Incident, insurer: str) -> Dora:
    """The incident as an insurer classifies it: clients are the people displayed at most, malice as the stated cause says."""
    part, facts = part_of(incident, insurer), facts_of(incident, insurer)
    beside: dict[str, Any] = {}
    if part is not None:
        beside |= {"clients": part.at_most}
        beside |= {"clients_total": part.referenced} if part.referenced else {}
        beside |= {"data_losses": ["confidentiality"]} if part.at_most else {}
    if facts.cause is not None and facts.cause != "unknown":
        beside |= {"malicious_access": facts.cause in ("external_malicious", "internal_malicious")}
    return stated(incident, Dora, insurer, beside)


def timed_dora_of(incident: Incident, insurer: str) -> Dora:
    """The same with its times, for a report: when the insurer was told, and when it signed that the incident is major."""
    dora, told, decided = dora_of(incident, insurer), told_us(incident, insurer), incident.decisions.get(insurer)
    if dora.aware is None and told:
        dora = msgspec.structs.replace(dora, aware=instant(told))
    if dora.classified is None and decided and decided.major_us:
        dora = msgspec.structs.replace(dora, classified=instant(decided.major_us))
    return dora


def follows(incident: Incident, insurer: str, today: date) -> Follows:
    """What the rules answer for a party on what is known now. Raises `facts_invalid`."""
    answer: dict[str, Any]
    part = part_of(incident, insurer)
    if insurer != HUB and part is not None and not part.at_most:
        answer = {"register": False, "notify_authority": False, "communicate_persons": False, "why": [NOBODY]}
        return Follows(
            insurer, answer | {"rules_version": version()}, None, Signed(register=False, authority=False, persons=False)
        )
    answer = _plain(assess(facts_of(incident, insurer), today))
    if insurer == HUB:
        own = bool(professionals(incident))
        return Follows(insurer, answer, None, Signed(register=True, authority=own, persons=own, controllers=True))
    signed = Signed(
        register=answer["register"], authority=answer["notify_authority"], persons=answer["communicate_persons"]
    )
    dora = _plain(classified(dora_of(incident, insurer), today))
    return Follows(insurer, answer, dora, signed)


def professionals(incident: Incident) -> tuple[Professional, ...]:
    """Professionals whose own data were exposed, as far as somebody said."""
    return own_of(incident, HUB).professionals or ()


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as the journal gives it back, so that both compare."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
    return plain


def parties(incident: Incident) -> list[str]:
    """The hub, and every insurer of the scope."""
    return [HUB, *(each.insurer for each in (incident.scoped.parts if incident.scoped else ()))]


def outdated(incident: Incident, today: date) -> list[str]:
    """Parties whose decision would be another one now: none yet, or rules and facts that answer otherwise."""
    return [each for each in parties(incident) if is_outdated(incident, each, today)]


def is_outdated(incident: Incident, insurer: str, today: date) -> bool:
    """Whether a party of the scope has no decision, or would be decided otherwise by what is known now."""
    standing = incident.decisions.get(insurer)
    if standing is None:
        return True
    now, then = follows(incident, insurer, today), standing.decided
    is_changed = (now.answer, now.dora) != (then.answer, then.dora) or (
        not then.signed.motive and now.signed != then.signed
    )
    return then.knew < incident.knew and is_changed


def told_us(incident: Incident, insurer: str) -> int:
    """When an insurer was told by the hub (µs); 0: not yet. A fact that says so stands before what was sent."""
    fact = incident.facts.get(("told_by_processor", insurer))
    if fact is not None and fact.value:
        return ts_us(datetime.fromisoformat(fact.value))
    sent = [each.at_us for each in incident.notified if (each.deadline, each.insurer) == (TELLS_INSURERS, insurer)]
    return min(sent, default=0)


def clocks(incident: Incident, now: datetime) -> list[Clock]:
    """Every deadline of every party, the most urgent first, those that are met last. Raises `facts_invalid`."""
    found = [Clock(party, each) for party in parties(incident) for each in _clocks_of(incident, party, now)]
    return sorted(
        found, key=lambda each: (_is_done(each), each.running.deadline.last, each.running.deadline.id, each.insurer)
    )


def _is_done(clock: Clock) -> bool:
    return clock.running.state in ("done", "late")


def _clocks_of(incident: Incident, insurer: str, now: datetime) -> Iterator[Running]:
    beside = _times_of(incident, insurer)
    if beside is None:
        return
    found = running(stated(incident, Times, insurer, beside), now)
    yield from found
    if insurer == HUB and professionals(incident):
        own = {**beside, "role": "controller", "regimes": ["gdpr"]}
        standing = incident.decisions.get(HUB)
        own |= {"high_risk_known": _rfc(standing.persons_us)} if standing and standing.persons_us else {}
        there = {each.deadline.id for each in found}  # the register is one
        yield from (each for each in running(stated(incident, Times, HUB, own), now) if each.deadline.id not in there)


def _times_of(incident: Incident, insurer: str) -> dict[str, Any] | None:
    """The times of a party; None of an insurer whose clocks have not begun: it was not told, or nobody of it was displayed."""
    told, part = told_us(incident, insurer), part_of(incident, insurer)
    if insurer != HUB and (not told or (part is not None and not part.at_most)):
        return None
    own = [each for each in incident.notified if each.insurer == insurer]
    sent = [each for each in own if insurer == HUB or each.deadline != TELLS_INSURERS]
    done = {
        each.deadline: _rfc(each.at_us) for each in sorted(sent, key=lambda each: -each.at_us)
    }  # the first meets it
    reasons = {each.deadline: each.reasons for each in own if each.reasons}
    if insurer == HUB:
        done |= _all_told(incident)
    times: dict[str, Any] = {
        "aware": _rfc(incident.opened.found_us if insurer == HUB else told),
        "role": "processor" if insurer == HUB else "controller",
        "regimes": ["gdpr", "lopmi"] if insurer == HUB else ["gdpr", "dora"],
        "done": done,
        "reasons": reasons,
    }
    if rested := [each.at_us for each in sent if each.deadline == INTERMEDIATE]:
        times["last_intermediate"] = _rfc(max(rested))
    standing = incident.decisions.get(insurer)
    if standing and insurer != HUB and standing.persons_us:
        times["high_risk_known"] = _rfc(max(standing.persons_us, told))
    if standing and standing.major_us:
        times["classified"] = _rfc(standing.major_us)
    return times


def _all_told(incident: Incident) -> dict[str, str]:
    """When the last insurer with people displayed was told; nothing while one was not."""
    exposed = [each.insurer for each in (incident.scoped.parts if incident.scoped else ()) if each.at_most]
    told = [told_us(incident, each) for each in exposed]
    return {TELLS_INSURERS: _rfc(max(told))} if told and all(told) else {}


def untold(incident: Incident) -> list[str]:
    """Insurers with people displayed that were not told."""
    parts = incident.scoped.parts if incident.scoped else ()
    return [each.insurer for each in parts if each.at_most and not told_us(incident, each.insurer)]


def reasons_owed(before: Incident, sent: Notified) -> str:
    """What a text asks of something sent late without reasons; empty where it asks nothing.

    What follows a first one that was in time, as a phase or a correction, is not late.
    """
    if sent.reasons:
        return ""
    later = msgspec.structs.replace(before, notified=(*before.notified, sent))
    for each in _clocks_of(later, sent.insurer, instant(sent.at_us)):
        if each.deadline.id == sent.deadline and each.reasons_required and not each.reasons:
            return f"{sent.deadline} was due on {paris(each.deadline.last)}; {each.deadline.if_late}"
    return ""


def check_deadline(name: str) -> str:
    """The name of a deadline. Raises `facts_invalid`."""
    if name not in rules():
        raise BAD_FACTS(
            f"{name[:60]!a} is not a deadline", pointer="/deadline", fix=f"Use one of {', '.join(rules())}."
        )
    return name


def own_of(incident: Incident, insurer: str) -> Own:
    """What was stated beside the facts for judging; what nobody stated is taken from the card of that party."""
    card = card_of(incident, insurer)
    hub = card_of(incident, HUB)
    name = hub.get("hub_name") or hub.get("organisation")
    return stated(incident, Own, insurer, ({"hub_name": name} if name else {}) | card)


def card_of(incident: Incident, insurer: str) -> dict[str, Any]:
    """The card of a party, its own alone; nothing where it has none."""
    fact = incident.facts.get((CARD, insurer))
    return dict(fact.value) if fact is not None and fact.value else {}


def _rfc(ts_us: int) -> str:
    return instant(ts_us).isoformat()
