"""The operator's own list of the professionals an incident concerns: journalled with its digests before anybody has it."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from ecluse.app.access import Disclosure
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import known, signer
from ecluse.app.incidents.events import INVESTIGATOR, SCOPE, finish
from ecluse.app.incidents.standing import scoped_of
from ecluse.breach.incident.concerned import concerned
from ecluse.formats.professional_list import professionals_as_csv, professionals_as_parquet
from ecluse.gate.admission import Request
from ecluse.journal.entry import Operation

NAMES = ("professionnels.csv", "professionnels.parquet")


class Listed(msgspec.Struct, frozen=True):
    """The two files by name, and how many professionals are in each."""

    professionals: int
    files: dict[str, bytes]


async def list_professionals(hub: Hub, name: str, by: str) -> Listed:
    """Whose own data it exposed, as far as its facts say. Raises `incident_state` before its scope, `incident_unknown`."""
    await finish(hub)
    signer(by)
    incident = known(hub, name)
    rows = concerned(incident, scoped_of(incident))
    files = dict(zip(NAMES, (professionals_as_csv(rows), professionals_as_parquet(rows)), strict=True))
    admission = hub.desk.admit(Request(INVESTIGATOR, hub.ids.new("pro_")), SCOPE, Operation.JOURNAL_EXPORTED, name)
    digests = " ".join(sha256(content).hexdigest() for content in files.values())
    told = Listed(len(rows), files)
    await hub.desk.release(admission, Disclosure(told, f"professionals {digests} {len(rows)} professionals"))
    return told
