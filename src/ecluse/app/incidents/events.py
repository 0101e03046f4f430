"""Events of incidents: kept, journalled, read back, and put back where the store was lost.

1. An event is kept with the next number of its incident (another process that was first is looked at again), then journalled.
   Cut short in between, it is journalled at the next act: the same number and bytes, so that a replay counts it once.
2. Its entry says in clear the incident, the event's kind and number, and the SHA-256 of a salt and the event's bytes; the event
   itself is sealed under the hub's key. Who is handed salt and bytes can check them against the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.ports.carried import Going
from ecluse.app.ports.incidents import Kept
from ecluse.breach.incident.events import Event, Happened
from ecluse.breach.incident.state import Incident, State, after, fold
from ecluse.gate.admission import Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.errors import refusal

SCOPE = "investigate"
INVESTIGATOR = Account("operator", scopes=frozenset({SCOPE}))
EVENT_BYTES_MAX = 60_000  # an entry is 65 535 bytes at most, with its other values and the seal
TRIES_MAX = 100  # against other processes that add to the same incident
PREFIX = "inc_"

INCIDENT_UNKNOWN = refusal("incident_unknown", 404, "There is no such incident", fix="See `ecluse incident list`.")
INCIDENT_PRUNED = refusal(
    "incident_pruned",
    410,
    "Events of this incident are no longer kept",
    fix="gate.db was lost after the months of this incident, which was closed, were pruned: restore it from a backup.",
)
INCIDENT_TOO_LONG = refusal(
    "incident_too_long",
    413,
    "This does not fit in an entry of the journal",
    fix="Say it in fewer words, or in several facts.",
)


class Stored(msgspec.Struct, frozen=True):
    """What an entry has sealed: the event, and which incident and number it is."""

    incident: str
    happened: Happened


_decode = msgspec.json.Decoder(Stored).decode
Proposal = Callable[[Incident | None], Event | None]  # what is to happen, given where the incident is; None: nothing


async def happen(hub: Hub, incident: str, propose: Proposal) -> Incident:
    """Let what `propose` says happen; the incident after it. Raises `incident_state`, `incident_unknown`, `incident_too_long`."""
    await finish(hub)
    for _ in range(TRIES_MAX):
        before = _known(hub, incident)
        event = propose(before)
        if event is None:
            if before is None:
                raise INCIDENT_UNKNOWN()
            return before
        happened = Happened((before.number if before else 0) + 1, hub.now_ts_us, event)
        told = after(before, happened)
        kept = _sealed(hub, incident, happened)
        if hub.incidents.put(kept):
            await _journal(hub, kept)
            return told
    raise AssertionError("another process adds to this incident without end")


async def finish(hub: Hub) -> None:
    """Journal what was cut short."""
    for kept in hub.incidents.unjournalled():
        await _journal(hub, kept)


async def read_incident(hub: Hub, incident: str, what: str) -> list[Happened]:
    """The events of an incident, read by staff: that it was read, and for `what`, is in the journal first.

    Raises `incident_unknown`.
    """
    await finish(hub)
    admission = hub.desk.admit(Request(INVESTIGATOR, hub.ids.new("inr_")), SCOPE, Operation.INCIDENT_READ, incident)
    found = events_of(hub, incident)
    if not found:
        raise INCIDENT_UNKNOWN()
    await hub.desk.release(admission, Disclosure(Stored(incident, found[-1]), what))
    return found


async def read_all(hub: Hub) -> dict[str, Incident]:
    """Every incident, the oldest first; journalled as one read."""
    await finish(hub)
    admission = hub.desk.admit(Request(INVESTIGATOR, hub.ids.new("inr_")), SCOPE, Operation.INCIDENT_READ, "")
    found = whole(hub)
    await hub.desk.release(admission, Disclosure(Listed(tuple(found)), "list"))
    return found


class Listed(msgspec.Struct, frozen=True):
    """The incidents there are."""

    incidents: tuple[str, ...]


def replayed(hub: Hub, entry: Entry) -> None:
    """Put back the event an entry of the journal tells of, where gate.db was lost."""
    number = int(entry.outcome.split(" ")[1])
    kept = Kept(entry.engagement, number, entry.request, entry.sealed, entry.ts_us, entry.outcome, is_journalled=True)
    if not hub.incidents.put(kept):
        hub.incidents.journalled(kept.incident, number)
    hub.incidents.told([kept], entry.ts_us)


def still_open(hub: Hub, going: Going) -> Iterator[Again]:
    """Events of open incidents that rest on entries about to be deleted: the same seals and digests again."""
    names = {name for name, each in whole(hub).items() if each.state is not State.CLOSED}
    resting = [each for each in hub.incidents.resting(going) if each.incident in names]
    for start in range(0, len(resting), TOGETHER):
        some, now_us = resting[start : start + TOGETHER], hub.now_ts_us
        entries = [_entry(each, now_us, BY_ITSELF) for each in some]
        yield Again(entries, partial(hub.incidents.told, some, now_us))


def events_of(hub: Hub, incident: str) -> list[Happened]:
    """The events of an incident, opened; none of one that is not known. Raises `incident_pruned` where some are gone."""
    kept = hub.incidents.events(incident)
    if not is_whole(kept):
        raise INCIDENT_PRUNED()
    return [opened(hub, each).happened for each in kept]


def whole(hub: Hub) -> dict[str, Incident]:
    """Every incident whose events are all kept, the oldest first; of one that was pruned nothing can be said."""
    names = [name for name in hub.incidents.names() if is_whole(hub.incidents.events(name))]
    return {name: fold(events_of(hub, name)) for name in names}


def is_whole(kept: list[Kept]) -> bool:
    """Whether none of these events is missing."""
    return [each.number for each in kept] == [*range(1, len(kept) + 1)]


def opened(hub: Hub, kept: Kept) -> Stored:
    """What an event's entry has sealed."""
    return _decode(clear(hub, kept))


def clear(hub: Hub, kept: Kept) -> bytes:
    """The same as bytes: what its entry's digest is of, after `salt`."""
    return hub.keys.open(HUB, kept.sealed, _about(kept.request))


def salt(hub: Hub, request: str) -> bytes:
    """What keeps short events from being guessed from their digest: known to whom it was handed."""
    return hub.keys.digest(HUB, b"incident-salt|" + request.encode())


def _known(hub: Hub, incident: str) -> Incident | None:
    found = events_of(hub, incident)
    return fold(found) if found else None


def _sealed(hub: Hub, incident: str, happened: Happened) -> Kept:
    plain = msgspec.json.encode(Stored(incident, happened))
    if len(plain) > EVENT_BYTES_MAX:
        raise INCIDENT_TOO_LONG(f"{len(plain)} bytes")
    request = hub.ids.new("ine_")
    digest = sha256(salt(hub, request) + plain).hexdigest()
    outcome = f"{happened.event.__struct_config__.tag} {happened.number} {digest}"
    return Kept(incident, happened.number, request, hub.keys.seal(HUB, plain, _about(request)), happened.at_us, outcome)


async def _journal(hub: Hub, kept: Kept) -> None:
    await hub.desk.record(_entry(kept, kept.at_us))
    hub.incidents.journalled(kept.incident, kept.number)


def _entry(kept: Kept, at_us: int, account: str = "operator") -> Entry:
    return act(
        Operation.INCIDENT, at_us, kept.request, kept.outcome, account=account, about=kept.incident, sealed=kept.sealed
    )


def _about(request: str) -> bytes:
    """What the seal of an event is bound to."""
    return b"incident|1|" + request.encode()
