"""Evidence of an incident for a stranger: its events opened, the entries that have them and those that displayed, each proved.

1. All is asked of the lake, up to now; nothing is shown yet.
2. That evidence is made, by whom and for whom, is an entry (`journal_proved`) and an event of the incident: the chain of custody.
3. Entries are proved in the order they stand, under a head that witnesses signed where one is. Their seals stay shut: people are
   in them by their references alone. Events are handed over in clear with their salts, which the entries' digests are checked by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.aside import aside
from ecluse.app.exposure.evidence import Told
from ecluse.app.exposure.proofs import Places, entries_at, places_of
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import known, signer, words
from ecluse.app.incidents.events import INVESTIGATOR, SCOPE, clear, events_of, finish, happen, salt
from ecluse.app.ports.lake import Lake
from ecluse.app.ports.proving import Provable
from ecluse.app.proving import Prover, ProvingAsked, covering
from ecluse.breach.incident.concerned import concerned
from ecluse.breach.incident.events import EvidenceMade, Happened, Scoped
from ecluse.breach.incident.state import INCIDENT_STATE, Incident
from ecluse.breach.incident.view import at, counts, timeline
from ecluse.breach.tables import law, version
from ecluse.formats.professional_list import ProfessionalRow
from ecluse.gate.admission import Admission, Request
from ecluse.journal.entry import Operation
from ecluse.journal.evidence import Found


class Opening(msgspec.Struct, frozen=True):
    """An event in clear: its number, its salt, its bytes. SHA-256 of both, one after the other, is what its entry says."""

    number: int
    salt: bytes
    content: bytes


class Bundle(msgspec.Struct, frozen=True):
    """What is handed over. `places`: by shard, the indexes of the entries to be proved."""

    report: dict[str, Any]
    openings: tuple[Opening, ...]
    places: Mapping[str, Sequence[int]]
    timeline: list[dict[str, Any]]
    law: dict[str, bytes]
    professionals: tuple[ProfessionalRow, ...] = ()


async def make_evidence(hub: Hub, name: str, by: str, made_for: str, told: Told, *, displays: bool = True) -> Bundle:
    """The evidence there is of an incident; without `displays`, of its own events and acts alone.

    Raises `incident_state` before its scope, `incident_unknown`, `lake_behind`, `exposure_pruned`.
    """
    await finish(hub)
    signed, asked_for, incident = signer(by), words(made_for), known(hub, name)
    happened = events_of(hub, name)
    scoped = incident.scoped
    if scoped is None:
        raise INCIDENT_STATE("it has no scope yet", fix="ecluse incident scope INCIDENT.")
    asked = Request(INVESTIGATOR, hub.ids.new("prf_"))
    admission = hub.desk.admit(asked, SCOPE, Operation.JOURNAL_PROVED, name)
    lake = await aside(hub.exposure.open_lake)
    own = await aside(_acts, lake, admission, name, happened, scoped)
    shown = await aside(places_of, lake, admission, scoped.question, told) if displays else {}
    places = {shard: sorted({*own.get(shard, ()), *shown.get(shard, ())}) for shard in sorted({*own, *shown})}
    entries = sum(map(len, places.values()))
    await hub.desk.release(admission, Disclosure(ProvingAsked(name), f"{entries} entries for {asked_for}"))
    made = EvidenceMade(by=signed, version=incident.version, made_for=asked_for, entries=entries)
    await happen(hub, name, lambda _: made)
    openings = tuple(
        Opening(each.number, salt(hub, each.request), clear(hub, each))
        for each in hub.incidents.events(name)[: len(happened)]
    )
    report = _report(hub, name, incident, made, scoped, displays=displays)
    return Bundle(report, openings, places, timeline(happened), law(), tuple(concerned(incident, scoped)))


def proved(journal: Provable, places: Places) -> Iterator[tuple[str, Found]]:
    """Each entry with its proof, in the order they stand. Blocks. Raises `journal_unpublished`, `journal_pruned`."""
    for shard, indexes in places.items():
        prover = Prover(journal, shard, covering(journal, shard, indexes[-1]))
        for index, encoded in entries_at(journal, shard, indexes):
            yield shard, prover.found(index, encoded)


def _acts(
    lake: Lake, admission: Admission, name: str, happened: Sequence[Happened], scoped: Scoped
) -> dict[str, list[int]]:
    """Where the incident's own entries stand. Blocks."""
    exposures = {each.event.exposure_id for each in happened if isinstance(each.event, Scoped)}
    parameters = {
        "from_us": 0,
        "to_us": admission.at_us,
        "about": [name, *sorted(exposures), *scoped.question.accounts],
        "shown_insurers": [each.insurer for each in scoped.parts] or [""],
        "shown_until_us": scoped.question.end_ts_us,
    }
    found: dict[str, list[int]] = {}
    for row in lake.ask(admission, "entries_of_incident", parameters).to_pylist():
        found.setdefault(row["shard"], []).append(row["index"])
    return found


def _report(
    hub: Hub, name: str, incident: Incident, made: EvidenceMade, scoped: Scoped, *, displays: bool
) -> dict[str, Any]:
    question = scoped.question
    return {
        "format": "ecluse-incident-evidence@v1",
        "incident": name,
        "version": incident.version,
        "state": incident.state,
        "made_at": at(hub.now_ts_us),
        "made_by": made.by,
        "made_for": made.made_for,
        "entries": made.entries,
        "with_displays": displays,
        "question": msgspec.to_builtins(question),
        "exposure_id": scoped.exposure_id,
        "insurers": [counts(each) for each in scoped.parts],
        "rules_version": version(),
    }
