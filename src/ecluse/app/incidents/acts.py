"""What is done to an incident: opened, told facts, scoped, decided, notified, closed, reopened. Each act is signed by a person.

Done again with nothing new, an act changes nothing and makes no event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from ecluse.app.aside import aside
from ecluse.app.exposure.ask import ANSWER, expose, place_of_file
from ecluse.app.exposure.evidence import Told
from ecluse.app.exposure.naming import account_typed
from ecluse.app.hub import Hub
from ecluse.app.incidents.events import INCIDENT_UNKNOWN, INVESTIGATOR, PREFIX, events_of, happen, whole
from ecluse.app.incidents.standing import SCOPE_OUTDATED, why_outdated
from ecluse.breach.incident.events import (
    HUB,
    Closed,
    Decided,
    Event,
    FactAdded,
    Notified,
    Opened,
    Part,
    Reopened,
    Scoped,
    Signed,
)
from ecluse.breach.incident.follows import (
    CARD,
    Follows,
    card_of,
    check_deadline,
    follows,
    parties,
    question_of,
    reasons_owed,
)
from ecluse.breach.incident.own import read_fact
from ecluse.breach.incident.state import Incident, State, fold
from ecluse.exposure.answer import Exposure, InsurerExposure
from ecluse.exposure.question import Question
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import Field
from ecluse.kernel.days import DAY_US, paris_day
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

BY_CHARS_MAX, WORDS_CHARS_MAX = 120, 2_000
SIGNER_CHARS_MAX = BY_CHARS_MAX + 131  # with the account of a token behind it

CARDS_SOURCE = "le fichier des organismes"

SIGNER_NEEDED = refusal(
    "incident_signer_needed", 400, "Nobody signs", fix="Say who acts, by name and function: --by 'Anne Martin, DPO'."
)
TIME_INVALID = refusal(
    "incident_time_invalid",
    400,
    "Nothing happened then that can be known now",
    fix="Say an instant that is not to come, and no year before 2000.",
)
SINCE_US = 946_684_800_000_000  # 2000: no log, mail or receipt that an incident is known by is older
AHEAD_US = DAY_US  # a day: another machine's clock, a time zone mistaken
WORDS_NEEDED = refusal(
    "incident_words_needed", 400, "A reason is needed", fix="Say it in a sentence, of 2,000 characters at most."
)
REASONS_NEEDED = refusal(
    "incident_reasons_needed",
    400,
    "It was sent late, and the text asks why",
    fix="Say it in a sentence, as it is to be told: --reasons 'Le compte volé n'a été relié à vos assurés que le 3 mars.'",
)
PERSONS_OPEN = refusal(
    "incident_persons_open",
    409,
    "The facts do not say whether persons are told",
    fix="Add the facts that `undecided` names, or decide: --persons yes or no, with --motive.",
)


async def open_incident(hub: Hub, by: str, question: Question, found_us: int, how_found: str) -> tuple[str, Incident]:
    """Open an incident; one that is not closed and asks the same is that one. Raises `incident_time_invalid`."""
    opened = Opened(
        by=signer(by), question=question, found_us=_when(hub, found_us, "/found_at"), how_found=words(how_found)
    )
    for name, known in whole(hub).items():
        if known.opened.question == question and known.state is not State.CLOSED:
            return name, await happen(hub, name, lambda _: None)
    name = hub.ids.new(PREFIX)
    return name, await happen(hub, name, lambda _: opened)


async def add_fact(
    hub: Hub, incident: str, by: str, name: str, value: Any, *, insurer: str = HUB, known_us: int = 0, source: str = ""
) -> Incident:
    """Add a fact; null takes one back. The same again changes nothing.

    Raises `facts_invalid`, `exposure_invalid`, `contained_unknown`, `amc_invalid`, `incident_time_invalid`.
    """
    read_fact(name, value, insurer)
    if name == "accounts" and value is not None:
        value = [account_typed(hub, each, f"/value/{place}") for place, each in enumerate(value)]
    if insurer:
        amc(insurer, pointer="/insurer")
    fact = FactAdded(
        by=signer(by),
        name=name,
        value=value,
        known_us=_when(hub, known_us or hub.now_ts_us, "/known_at"),
        insurer=insurer,
        source=source[:WORDS_CHARS_MAX],
    )

    def propose(before: Incident | None) -> Event | None:
        standing = before.facts.get((name, insurer)) if before else None
        if before is None or (standing.value if standing else None) == value:
            return None
        asked = msgspec.structs.replace(before, facts={**before.facts, (name, insurer): fact})
        question_of(asked)  # a fact that widens the question makes a good one, or is refused here
        return fact

    return await happen(hub, incident, propose)


async def scope(
    hub: Hub, incident: str, by: str, told: Told, *, again: bool = False, asker: Account = INVESTIGATOR
) -> Incident:
    """Ask the exposure what the incident asks now, and keep its counts; asked before, and nothing came since, it is not asked
    `again` unless so told. `asker`: whose question it is in the journal.

    Cards of the hub and of exposed insurers are facts from then on. Raises `lake_behind`, `exposure_invalid`, `incident_state`.
    """
    signed, before = signer(by), known(hub, incident)
    question = question_of(before)
    standing = before.scoped
    if standing and not again and not await aside(why_outdated, hub, before):
        again_as_it_was = msgspec.structs.replace(standing, by=signed) if before.state is State.REOPENED else None
        await happen(hub, incident, lambda _: again_as_it_was)
        return await _fill_cards(hub, incident, signed)
    asked = Request(asker, hub.ids.new("exp_"))
    as_of_us = hub.now_ts_us
    exposure = (await expose(hub, asked, question, told)).answer
    scoped = Scoped(
        by=signed,
        question=question,
        exposure_id=exposure.exposure_id,
        sha256=sha256(hub.exposure.post.read(place_of_file(exposure.exposure_id, ANSWER))).hexdigest(),
        as_of_us=as_of_us,
        lists_shown=exposure.lists_shown,
        lost=sum(each.lost for each in exposure.gaps),
        parts=tuple(_part(exposure, each) for each in exposure.insurers),
    )
    await happen(hub, incident, lambda _: scoped)
    return await _fill_cards(hub, incident, signed)


async def _fill_cards(hub: Hub, incident: str, signed: str) -> Incident:
    """What the operator's file says of the hub and of exposed insurers, as facts: each version keeps what it knew."""
    after, cards = known(hub, incident), hub.cards()
    if after.state is State.CLOSED:
        return after
    exposed = [each.insurer for each in (after.scoped.parts if after.scoped else ()) if each.at_most]
    for party in (HUB, *exposed):
        if (card := cards.get(party)) and card != card_of(after, party):
            after = await add_fact(hub, incident, signed, CARD, card, insurer=party, source=CARDS_SOURCE)
    return after


async def decide(
    hub: Hub,
    incident: str,
    by: str,
    *,
    insurers: list[str] | None = None,
    authority: bool | None = None,
    persons: bool | None = None,
    motive: str = "",
    on_scope: int = 0,
) -> tuple[Incident, list[Follows]]:
    """Sign each party's decision (those of `insurers`; the hub is ""), "no" too: as the rules answer, or otherwise with a motive.

    `on_scope`: knowingly on the scope of that event, though it is outdated. Raises `incident_scope_outdated`,
    `incident_persons_open`, `incident_words_needed`, `incident_state`, `facts_invalid`.
    """
    signed_by, before, today = signer(by), known(hub, incident), paris_day(hub.clock.now())
    await _check_scope(hub, before, on_scope)
    who = parties(before) if insurers is None else insurers
    _check_parties(before, who)
    found = [follows(before, each, today) for each in who]
    decisions = [
        Decided(
            by=signed_by,
            insurer=each.insurer,
            knew=before.knew,
            signed=_signed(each, authority, persons, motive),
            answer=each.answer,
            dora=each.dora,
            on_scope=on_scope,
        )
        for each in found
    ]
    after = before
    for decided in decisions:
        after = await happen(hub, incident, _unless_standing(decided))
    return after, found


def _when(hub: Hub, at_us: int, pointer: str) -> int:
    """An instant that somebody says. Raises `incident_time_invalid`: what is kept once is shown and counted from for years."""
    if not SINCE_US <= at_us <= hub.now_ts_us + AHEAD_US:
        raise TIME_INVALID(pointer=pointer)
    return at_us


def _check_parties(before: Incident, who: Sequence[str]) -> None:
    """Raise `incident_unknown` for an insurer that the scope says nothing of: a number that was mistyped, most often."""
    if unknown := sorted({*who} - {*parties(before)}):
        raise INCIDENT_UNKNOWN(
            f"nothing of {', '.join(unknown)} in its scope", fix="`ecluse incident show` lists insurers."
        )


async def _check_scope(hub: Hub, before: Incident, on_scope: int) -> None:
    """Raise `incident_scope_outdated` where more is known than its scope, and nobody says to decide on that one."""
    if on_scope:
        if on_scope != before.scope_number:
            raise SCOPE_OUTDATED(f"the scope that stands is that of event {before.scope_number}, not {on_scope}")
    elif why := await aside(why_outdated, hub, before):
        raise SCOPE_OUTDATED(why)


async def notify(
    hub: Hub,
    incident: str,
    by: str,
    deadline: str,
    at_us: int,
    *,
    insurer: str = HUB,
    reference: str = "",
    reasons: str = "",
) -> Incident:
    """Say that something was sent, outside the hub. Raises `facts_invalid`, `incident_state`, `incident_unknown`,
    `incident_reasons_needed`, `incident_time_invalid`.
    """
    sent = Notified(
        by=signer(by),
        deadline=check_deadline(deadline),
        at_us=_when(hub, at_us, "/at"),
        insurer=insurer,
        reference=reference[:WORDS_CHARS_MAX],
        reasons=reasons[:WORDS_CHARS_MAX],
    )

    def propose(before: Incident | None) -> Event | None:
        if before is None or _is_said(before, sent):
            return None
        if before.scoped:
            _check_parties(before, [insurer])
        if asked := reasons_owed(before, sent):
            raise REASONS_NEEDED(asked)
        return sent

    return await happen(hub, incident, propose)


async def close(hub: Hub, incident: str, by: str, reason: str) -> Incident:
    """Close it; closed, it stays so. Raises `incident_state` while a decision is missing."""
    closed = Closed(by=signer(by), reason=words(reason))
    return await happen(hub, incident, _unless(State.CLOSED, closed))


async def reopen(hub: Hub, incident: str, by: str, reason: str) -> Incident:
    """Open it again; it is scoped and decided anew. Raises `incident_state`."""
    reopened = Reopened(by=signer(by), reason=words(reason))
    return await happen(hub, incident, _unless(State.REOPENED, reopened))


def known(hub: Hub, incident: str) -> Incident:
    """Where an incident is, for an act on it. Raises `incident_unknown`."""
    found = events_of(hub, incident)
    if not found:
        raise INCIDENT_UNKNOWN()
    return fold(found)


def signer(by: str) -> str:
    """Who acts. Raises `incident_signer_needed`."""
    name = " ".join(by.split())
    if not 1 < len(name) <= SIGNER_CHARS_MAX:
        raise SIGNER_NEEDED()
    return name


def words(text: str) -> str:
    """A sentence. Raises `incident_words_needed`."""
    if not text.strip() or len(text) > WORDS_CHARS_MAX:
        raise WORDS_NEEDED()
    return text.strip()


def _signed(found: Follows, authority: bool | None, persons: bool | None, motive: str) -> Signed:
    """What the rules answer, unless the person says otherwise, and why."""
    told = found.signed
    if not told.register:  # nobody of this insurer was displayed: nothing to decide otherwise
        return told
    if authority is not None or persons is not None:
        told = msgspec.structs.replace(
            told,
            authority=told.authority if authority is None else authority,
            persons=told.persons if persons is None else persons,
        )
    if told.persons is None:
        raise PERSONS_OPEN(f"undecided: {'; '.join(found.answer.get('undecided', ()))}")
    return told if told == found.signed else msgspec.structs.replace(told, motive=words(motive))


def _unless_standing(decided: Decided) -> Callable[[Incident | None], Event | None]:
    """Nothing happens where the same was decided on the same knowledge."""

    def propose(before: Incident | None) -> Event | None:
        standing = before.decisions.get(decided.insurer) if before else None
        same = standing is not None and before is not None and before.state not in (State.SCOPED, State.REOPENED)
        if same and standing and msgspec.structs.replace(standing.decided, by=decided.by) == decided:
            return None
        return decided

    return propose


def _unless(state: State, event: Event) -> Callable[[Incident | None], Event | None]:
    return lambda before: None if before is None or before.state is state else event


def _is_said(before: Incident, sent: Notified) -> bool:
    return any(msgspec.structs.replace(each, by=sent.by) == sent for each in before.notified)


def _part(exposure: Exposure, part: InsurerExposure) -> Part:
    shown = part.displayed
    bits = 0
    for name in shown.fields:
        bits |= Field[name.upper()] if name.upper() in Field.__members__ else 1 << int(name.removeprefix("bit_"))
    kinds = (shown.categories["present"], shown.categories["billed"], shown.categories["unexplained"])
    people = (shown.people.at_least, shown.people.at_most, shown.times)
    return Part(part.insurer, part.referenced, part.reachable, *people, bits, *kinds)
