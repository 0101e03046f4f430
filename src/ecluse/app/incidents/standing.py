"""Whether a scope still holds: it asked what the incident asks now, and the journal has no more of its window than it read.

The window was over when it was asked, so it grows only by what was on its way then: an answer admitted before and written
after, a shard that was put back. Entries lie in a shard in the order of their times, but for `NEAR_US`: what came since is read
that far.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from ecluse.app.exposure.ask import ANSWER, place_of_file
from ecluse.app.hub import Hub
from ecluse.app.ports.journal import Head
from ecluse.breach.incident.events import Scoped
from ecluse.breach.incident.follows import question_of
from ecluse.breach.incident.state import INCIDENT_STATE, Incident
from ecluse.exposure.answer import Exposure
from ecluse.exposure.gaps import month_of
from ecluse.exposure.question import Question
from ecluse.journal.entry import Entry, decode
from ecluse.journal.verify import NEAR_US
from ecluse.kernel.errors import refusal

SCOPE_CHANGED = refusal(
    "incident_scope_changed",
    409,
    "What the exposure answered is not what the incident has",
    fix="Scope it anew: ecluse incident scope INCIDENT --again.",
)
SCOPE_OUTDATED = refusal(
    "incident_scope_outdated",
    409,
    "The scope is older than what is known",
    fix="Run `ecluse incident scope` first, then decide; in a hurry, --on-scope N decides on the scope of event N as it is.",
)


def scoped_of(incident: Incident) -> Scoped:
    """The scope of an incident. Raises `incident_state` where there is none, or it is not that of the question."""
    if incident.scoped is None or incident.scoped.question != question_of(incident):
        raise INCIDENT_STATE("its scope is not that of its question", fix="ecluse incident scope INCIDENT, then again.")
    return incident.scoped


def exposure_of(hub: Hub, scoped: Scoped) -> Exposure:
    """The answer an incident was scoped by. Raises `incident_scope_changed` where it is not there, or another."""
    found = _kept(hub, scoped)
    if found is None:
        raise SCOPE_CHANGED(scoped.exposure_id)
    return found


def why_outdated(hub: Hub, incident: Incident) -> str:
    """What makes a scope outdated, empty where it holds or there is none. Blocks."""
    scoped, number = incident.scoped, incident.scope_number
    if scoped is None:
        return ""
    if scoped.question != question_of(incident):
        return f"facts added since event {number} ask another question"
    found = _kept(hub, scoped)
    if found is None:
        return f"what the exposure answered at event {number} is gone, or another"
    if grown := _grown_by(hub, scoped.question, found):
        return f"the journal of its window has {grown} more displays than event {number} read"
    return ""


def _kept(hub: Hub, scoped: Scoped) -> Exposure | None:
    place = place_of_file(scoped.exposure_id, ANSWER)
    content = hub.exposure.post.read(place) if hub.exposure.post.has(place) else b""
    if sha256(content).hexdigest() != scoped.sha256:
        return None
    return msgspec.json.decode(content, type=Exposure)


def _grown_by(hub: Hub, question: Question, found: Exposure) -> int:
    """How many displays of the question the journal has that the answer did not read."""
    read = {each.shard: each.entries for each in found.read_to}
    return sum(_new(hub, each, read.get(each.shard, 0), question) for each in hub.exposure.shards.heads())


def _new(hub: Hub, head: Head, read: int, question: Question) -> int:
    """Displays of the question in a shard from entry `read` on. Logins and networks narrow nothing here; asked anew, they do."""
    start_us, end_us = month_of(head.shard)
    is_near = start_us < question.end_ts_us + NEAR_US and end_us + NEAR_US > question.start_ts_us
    if read >= head.size or not is_near:
        return 0
    found = 0
    for encoded in hub.exposure.shards.entries(head.shard, max(read, head.pruned), head.size):
        entry = decode(encoded)
        if entry.ts_us > question.end_ts_us + NEAR_US:
            break
        found += _is_display(entry, question)
    return found


def _is_display(entry: Entry, question: Question) -> bool:
    is_inside = question.start_ts_us <= entry.ts_us < question.end_ts_us and entry.account in question.accounts
    is_asked = not question.insurers or entry.insurer in question.insurers
    return is_inside and is_asked and bool(entry.person and entry.fields)
