"""Incidents as they are asked for from outside: all of them by the hub's investigators, by an insurer those it was told of.

Another's incident and one that does not exist are one answer, `not_found`. That it was read, by whom, is in the journal first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.aside import aside
from ecluse.app.exposure.ask import scope_of
from ecluse.app.exposure.naming import strangers
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import BY_CHARS_MAX, SIGNER_NEEDED, signer
from ecluse.app.incidents.events import SCOPE, events_of, finish, is_whole, whole
from ecluse.breach.agenda import calendar
from ecluse.breach.incident.events import Happened
from ecluse.breach.incident.state import fold
from ecluse.breach.incident.told import IncidentLine, InsurerIncident, concerns, line, own_clocks, told_to
from ecluse.breach.incident.view import clocks_told, shown
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import FORBIDDEN, permit
from ecluse.gate.openings import CURSOR_INVALID
from ecluse.journal.entry import Operation
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import NOT_FOUND

PAGE_MAX = 100  # an incident is a line of 200 bytes; whoever has more of them has other worries


class IncidentPage(msgspec.Struct, frozen=True):
    """Incidents, newest first. `next_cursor` is null on the last page."""

    incidents: tuple[IncidentLine, ...]
    next_cursor: str | None


class HubIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident for those who investigate it: facts, scope, every party's decision, what was sent and made (docs/breach.md).

    `never_met`: those of `accounts` this hub never met; their names may be wrong.
    """

    incident: str
    state: str
    version: int
    accounts: list[str]
    since: str = msgspec.field(name="from")
    until: str = msgspec.field(name="to")
    found_at: str
    how_found: str
    facts: list[dict[str, Any]]
    scope: dict[str, Any] | None
    decisions: list[dict[str, Any]]
    outdated: list[str]
    untold: list[str]
    professionals: list[dict[str, Any]]
    notified: list[dict[str, Any]]
    packs: list[dict[str, Any]]
    timeline: list[dict[str, Any]]
    never_met: tuple[str, ...] = ()


class Deadlines(msgspec.Struct, frozen=True):
    """Deadlines at an instant, the most urgent first; each with whose it is."""

    now: dict[str, str]
    clocks: list[dict[str, Any]]
    rules_version: str


class Agenda(msgspec.Struct, frozen=True):
    """The deadlines still to be met, as an iCalendar file (RFC 5545)."""

    ics: bytes


async def list_incidents(hub: Hub, asked: Request, cursor: str, limit: int) -> Released[IncidentPage]:
    """A page of the incidents the asker may know of. Raises `forbidden`, `cursor_invalid`."""
    admission = await _admitted(hub, asked, "")
    own = asked.account.insurer
    found = [line(name, each, own) for name, each in whole(hub).items() if concerns(each, own)][::-1]
    names = [each.incident for each in found]
    if cursor and cursor not in names:
        raise CURSOR_INVALID(pointer="/cursor")
    start = names.index(cursor) + 1 if cursor else 0
    page = tuple(found[start : start + min(limit, PAGE_MAX)])
    more = page[-1].incident if page and start + len(page) < len(found) else None
    return await hub.desk.release(admission, Disclosure(IncidentPage(page, more), "list", insurer=own))


async def show_incident(hub: Hub, asked: Request, name: str, until: int = 0) -> Released[HubIncident | InsurerIncident]:
    """An incident as it is, or as it was after event `until`; an insurer's own view of it. Raises `forbidden`, `not_found`."""
    admission, happened = await read_own(hub, asked, name)
    if until > happened[-1].number:
        raise NOT_FOUND(f"no event {until} yet")
    own, now = asked.account.insurer, hub.clock.now()
    view: HubIncident | InsurerIncident
    if own:
        view = await aside(told_to, name, happened, own, until, now)
    else:
        view = await aside(_whole, name, happened[: until or None], now)
        view = msgspec.structs.replace(view, never_met=strangers(hub, view.accounts))
    said = f"show {until}" if until else "show"
    return await hub.desk.release(admission, Disclosure(view, said, insurer=own))


async def show_clocks(hub: Hub, asked: Request, name: str) -> Released[Deadlines]:
    """The deadlines of an incident, of everybody or the insurer's own. Raises `forbidden`, `not_found`."""
    admission, happened = await read_own(hub, asked, name)
    now, own = hub.clock.now(), asked.account.insurer
    told = Deadlines(**clocks_told(own_clocks(fold(happened), own, now), now))
    return await hub.desk.release(admission, Disclosure(told, "clock", insurer=own))


async def show_agenda(hub: Hub, asked: Request, name: str) -> Released[Agenda]:
    """The same as a file for anybody's agenda. Raises `forbidden`, `not_found`."""
    admission, happened = await read_own(hub, asked, name)
    told = agenda_of(happened, asked.account.insurer, hub.clock.now())
    return await hub.desk.release(admission, Disclosure(told, "clock", insurer=asked.account.insurer))


def agenda_of(happened: list[Happened], insurer: str, now: datetime) -> Agenda:
    """The open deadlines of a party, or of everybody (""), as a file."""
    found = own_clocks(fold(happened), insurer, now)
    whose = [each["party"] for each in clocks_told(found, now)["clocks"]]
    return Agenda(calendar([each.running for each in found], now, whose))


async def read_own(
    hub: Hub, asked: Request, name: str, operation: Operation = Operation.INCIDENT_READ
) -> tuple[Admission, list[Happened]]:
    """The events of an incident the asker may know of, and the right to tell of it. Raises `forbidden`, `not_found`."""
    admission = await _admitted(hub, asked, name, operation)
    own = asked.account.insurer
    if own and not is_whole(hub.incidents.events(name)):
        raise NOT_FOUND()  # what is gone is said to the hub alone
    happened = events_of(hub, name)
    if not happened or not concerns(fold(happened), own):
        raise NOT_FOUND()
    return admission, happened


def staff(asked: Request, by: str) -> str:
    """Who signs an act that comes from outside: the name and function they give, and always the account of their token.

    Raises `forbidden` to whoever does not investigate for the hub, `incident_signer_needed`.
    """
    permit(asked.account, SCOPE)
    if asked.account.insurer:
        raise FORBIDDEN("an insurer's account reads incidents; the hub's investigators act on them")
    if len(by) > BY_CHARS_MAX:
        raise SIGNER_NEEDED(pointer="/by")
    return signer(f"{by} ({asked.account.sub})" if by.strip() else asked.account.sub)


async def _admitted(hub: Hub, asked: Request, about: str, operation: Operation = Operation.INCIDENT_READ) -> Admission:
    await finish(hub)
    return hub.desk.admit(asked, scope_of(asked.account), operation, about)


def _whole(name: str, happened: list[Happened], now: datetime) -> HubIncident:
    """Every party decided anew to be compared: a second, of a hundred insurers."""
    told = shown(name, happened, paris_day(now))
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(told)), HubIncident)
