"""A pack for each insurer: its people, forms, register entry, letters' rows and proofs, encrypted to it alone.

1. Who was displayed is asked of the lake once, for all insurers, at the instant of the incident's scope.
2. A pack is written under another name, its digests are an entry (`journal_exported`) and an event of the incident, then it has
   its name: what has it is whole. A pack of this version and key that is there is left as it is: work that was stopped goes on.
3. In clear are the same bytes for the same version; encrypted they never are.

An insurer without a public key gets counts alone, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.aside import aside
from ecluse.app.exposure.evidence import Told
from ecluse.app.exposure.proofs import Places, Proofs, places_of, write_proofs
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import known, signer
from ecluse.app.incidents.events import INVESTIGATOR, SCOPE, events_of, finish, happen
from ecluse.app.incidents.people import Files, People, files_of, people_of
from ecluse.app.incidents.standing import exposure_of, scoped_of
from ecluse.app.recipients import recipients
from ecluse.breach.incident.cnil import Form, case_of, form
from ecluse.breach.incident.events import Happened, Packed, Scoped
from ecluse.breach.incident.papers import counts_of, dora_reports_of, letters_of, register_of
from ecluse.breach.incident.state import Incident
from ecluse.breach.incident.view import timeline
from ecluse.exposure.answer import Exposure, ListWritten, ProofsWritten
from ecluse.gate.admission import Admission, Request
from ecluse.journal.entry import Operation
from ecluse.kernel.days import instant, paris_day

PROOFS = "preuves.tar.age"
Page = Callable[[Form], bytes]  # a form as a page for people
Printed = Callable[[Form, date], bytes]  # the same as PDF, of a day
Contents = Mapping[str, bytes]  # a pack's files by name, in clear


class PackFolder(Protocol):
    """Where packs go. Blocks."""

    def has(self, name: str, stamp: str) -> bool:
        """Whether this pack is there, whole, with this stamp."""
        ...

    def write(self, name: str, stamp: str, contents: Contents, seal: Callable[[bytes], bytes] | None) -> str:
        """Write a pack, not yet under its name; without a seal in clear. The SHA-256 of its list of digests, hexadecimal."""
        ...

    def hand_over(self, name: str) -> None:
        """Give the pack its name, in the place of one of another version."""
        ...

    def lacks(self, name: str, file: str) -> bool:
        """Whether a pack that is there has no such file."""
        ...


class Pack(msgspec.Struct, frozen=True):
    """One insurer's pack. `members`: people in it; `recipient` empty: it has no key, and gets counts alone.

    `made`: false where it was there already. `to_fill`: what a person must still fill in CNIL's form.
    """

    insurer: str
    pack: str
    version: int
    members: int
    unknown: int
    recipient: str
    made: bool
    to_fill: tuple[str, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    """What leaves of an insurer without a key, or of whom nobody was displayed: no member."""

    insurer: str


class Making(msgspec.Struct, frozen=True):
    """What packs are made with: who signs, where they go, how a form becomes a page and a PDF, proofs where they are wanted."""

    by: str
    folder: PackFolder
    page: Page
    printed: Printed
    proofs: Proofs | None
    insurers: tuple[str, ...] = ()


def place_of_pack(name: str, insurer: str) -> str:
    """The name of the pack of an incident for an insurer."""
    return f"{name}-{insurer}"


async def make_packs(hub: Hub, name: str, making: Making, told: Told) -> list[Pack]:
    """Every insurer's pack of the incident as it is now, or those of `insurers`.

    Raises `incident_state` before its scope, `incident_scope_changed`, `lake_behind`, `exposure_pruned`.
    """
    await finish(hub)
    by, incident = signer(making.by), known(hub, name)
    scoped = scoped_of(incident)
    exposure = exposure_of(hub, scoped)
    wanted = [each.insurer for each in scoped.parts if not making.insurers or each.insurer in making.insurers]
    keys = await recipients(hub, wanted)
    work = Work(hub, name, incident, tuple(events_of(hub, name)), exposure, making, by)
    missing = [each for each in wanted if not making.folder.has(work.place(each), work.stamp(keys.get(each, "")))]
    unproved = [each for each in wanted if each in missing or making.folder.lacks(work.place(each), PROOFS)]
    asked = Request(INVESTIGATOR, hub.ids.new("pck_"))
    people = People({}, {})
    places: Places = {}
    if unproved:  # the missing ones are of them
        lake = await aside(hub.exposure.open_lake)  # once: people and proofs are of the same entries
        if missing:
            admission = _admitted(hub, asked, Operation.JOURNAL_EXPORTED, name)
            people = await aside(people_of, hub, lake, admission, scoped, told)
        if making.proofs:
            admission = _admitted(hub, asked, Operation.JOURNAL_PROVED, name)
            places = await aside(places_of, lake, admission, scoped.question, told)
    packs = []
    for place, insurer in enumerate(wanted):
        told("packs", place, len(wanted))
        recipient = keys.get(insurer, "")
        is_made = insurer in missing
        packs.append(
            await (work.make(asked, insurer, recipient, people) if is_made else work.there(insurer, recipient))
        )
    await _prove(
        work, asked, scoped, [each for each in packs if each.members and each.insurer in unproved], places, told
    )
    return packs


def _admitted(hub: Hub, asked: Request, operation: Operation, name: str) -> Admission:
    return hub.desk.admit(asked, SCOPE, operation, name)


class Work(msgspec.Struct, frozen=True):
    """The packs of one version of an incident, being made."""

    hub: Hub
    name: str
    incident: Incident
    happened: tuple[Happened, ...]
    exposure: Exposure
    making: Making
    by: str

    def place(self, insurer: str) -> str:
        """The name of an insurer's pack."""
        return place_of_pack(self.name, insurer)

    def stamp(self, recipient: str) -> str:
        """What a pack was made of: incident, version, key."""
        return f"{self.name} version {self.incident.version} {recipient or 'sans clef'}"

    async def make(self, asked: Request, insurer: str, recipient: str, people: People) -> Pack:
        """Write a pack, journal it, hand it over."""
        hub, place = self.hub, self.place(insurer)
        today = paris_day(instant(scoped_of(self.incident).as_of_us))  # a version's: made later, it is the same
        found = await aside(files_of, hub, insurer, people, today) if recipient else Files({}, 0, 0, 0)
        case = case_of(self.incident, insurer, found.minors)
        filled = form(self.name, case)
        papers = await aside(self._papers, filled, insurer, found.minors, found.people, today)
        contents = (
            {**papers, **(found.files if found.people else {})}
            if recipient
            else {"comptes.json": papers["comptes.json"]}
        )
        seal = _sealing(hub, recipient) if recipient else None
        digest = await aside(self.making.folder.write, place, self.stamp(recipient), contents, seal)
        members = found.people
        pack = Pack(insurer, place, self.incident.version, members, found.unknown, recipient, True, filled.to_fill)
        admission = hub.desk.admit(asked, SCOPE, Operation.JOURNAL_EXPORTED, self.name)
        await hub.desk.release(
            admission,
            Disclosure(pack if members else Counted(insurer), f"{place} {digest} {members} people", insurer=insurer),
        )
        told = Packed(by=self.by, insurer=insurer, version=pack.version, sha256=digest, people=members)
        await happen(hub, self.name, lambda _: told)
        await aside(self.making.folder.hand_over, place)
        return pack

    async def there(self, insurer: str, recipient: str) -> Pack:
        """A pack that was made before, as the incident has it."""
        made = next((each.people for each in reversed(self.incident.packed) if each.insurer == insurer), 0)
        filled = form(self.name, case_of(self.incident, insurer))
        return Pack(insurer, self.place(insurer), self.incident.version, made, 0, recipient, False, filled.to_fill)

    def _papers(self, filled: Form, insurer: str, minors: int, people: int, today: date) -> dict[str, bytes]:
        """All but the files about people, in the order they are to be looked at."""
        case = case_of(self.incident, insurer, minors)
        kept = [each for each in self.happened if each.number <= self.incident.version]
        told: dict[str, Any] = {
            "notification-cnil.json": filled,
            "registre.json": register_of(self.name, case),
            "dora.json": dora_reports_of(self.name, case, today) if people else {"classification": None},
            "comptes.json": counts_of(self.name, case, self.exposure),
            "chronologie.json": timeline(kept, insurer),
            "courriers.json": letters_of(self.name, case, people),
        }
        papers = {
            name: msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n" for name, value in told.items()
        }
        forms = {
            "notification-cnil.html": self.making.page(filled),
            "notification-cnil.pdf": self.making.printed(filled, today),
        }
        return forms | papers


async def _prove(work: Work, asked: Request, scoped: Scoped, wanted: list[Pack], places: Places, told: Told) -> None:
    """The proofs of these packs, into them."""
    proofs = work.making.proofs
    if proofs is None or not wanted:
        return
    times = {each.insurer: each.times for each in scoped.parts}
    exposure = msgspec.structs.replace(
        work.exposure,
        lists=tuple(ListWritten(each.insurer, each.members, each.unknown, each.recipient, {}) for each in wanted),
        proofs=tuple(ProofsWritten(each.insurer, times[each.insurer], f"{each.pack}/{PROOFS}") for each in wanted),
    )
    await write_proofs(work.hub, asked, SCOPE, exposure, places, proofs, told)


def _sealing(hub: Hub, recipient: str) -> Callable[[bytes], bytes]:
    return lambda content: hub.exposure.envelopes.seal(recipient, content)
