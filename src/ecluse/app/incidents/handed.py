"""A pack fetched over HTTP: what `ecluse incident pack` left in the hub's own folder, sealed to its insurer as it was made.

Only the newest pack of an insurer is there, and only where its list of digests is the one the journal has: a pack that was put
there by other means, or is being replaced, is not handed out. That a file left, with its digest, is in the journal first.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.hub import Hub
from ecluse.app.incidents.asked import read_own
from ecluse.app.incidents.packs import PROOFS, place_of_pack
from ecluse.breach.incident.events import Happened, Packed
from ecluse.breach.incident.state import fold
from ecluse.gate.admission import Request
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import NOT_FOUND, refusal
from ecluse.kernel.ids import amc

FOLDER, SUMS, README, SEALED = "packs", "SHA256SUMS", "LISEZMOI.txt", ".age"

PACK_ABSENT = refusal(
    "incident_pack_absent",
    404,
    "No pack of this incident is there to be fetched",
    fix="The hub's operators make it: `ecluse incident pack INCIDENT --by …`, without --out. It may also come another way.",
)


class PackFile(msgspec.Struct, frozen=True):
    """A file of a pack; `sha256` null of what is added after the list of digests was written."""

    name: str
    sha256: str | None
    is_sealed: bool


class PackShown(msgspec.Struct, frozen=True):
    """An insurer's newest pack: of which version, how many people are in it, the SHA-256 of its list of digests, its files."""

    incident: str
    insurer: str
    version: int
    people: int
    sha256: str
    files: tuple[PackFile, ...]


class SealedFile(msgspec.Struct, frozen=True):
    """A file of a pack, of how many members, encrypted to their insurer."""

    members: int
    blocks: Iterator[bytes]


class PlainFile(msgspec.Struct, frozen=True):
    """A file of a pack that names nobody: how to open the others, digests, counts."""

    blocks: Iterator[bytes]


async def show_pack(hub: Hub, asked: Request, name: str, insurer: str = "") -> Released[PackShown]:
    """What may be fetched; an investigator says of which insurer. Raises `forbidden`, `not_found`, `incident_pack_absent`."""
    admission, happened = await read_own(hub, asked, name)
    number = amc(asked.account.insurer or insurer, pointer="/insurer")
    return await hub.desk.release(admission, Disclosure(_there(hub, name, happened, number), "pack", insurer=number))


async def read_pack_file(
    hub: Hub, asked: Request, name: str, file: str, insurer: str = ""
) -> Released[SealedFile] | Released[PlainFile]:
    """One file of it, block by block. Raises `forbidden`, `not_found`, `incident_pack_absent`."""
    admission, happened = await read_own(hub, asked, name, Operation.JOURNAL_EXPORTED)
    number = amc(asked.account.insurer or insurer, pointer="/insurer")
    shown = _there(hub, name, happened, number)
    found = next((each for each in shown.files if each.name == file), None)
    if found is None:
        raise NOT_FOUND()
    pack = place_of_pack(name, number)
    blocks = hub.exposure.post.blocks(f"{FOLDER}/{pack}/{file}")
    said = f"{pack}/{file} {found.sha256 or 'later'} {shown.people if found.is_sealed else 0} people fetched"
    if found.is_sealed and shown.people:
        return await hub.desk.release(admission, Disclosure(SealedFile(shown.people, blocks), said, insurer=number))
    return await hub.desk.release(admission, Disclosure(PlainFile(blocks), said, insurer=number))


def _there(hub: Hub, name: str, happened: list[Happened], insurer: str) -> PackShown:
    """The newest pack, if it is there and whole. Blocks, for the time it takes to read its list of digests."""
    made = [each for each in fold(happened).packed if each.insurer == insurer]
    folder = f"{FOLDER}/{place_of_pack(name, insurer)}"
    post = hub.exposure.post
    sums = post.read(f"{folder}/{SUMS}") if made and post.has(f"{folder}/{SUMS}") else b""
    if not made or sha256(sums).hexdigest() != made[-1].sha256:
        raise PACK_ABSENT()
    return _shown(name, made[-1], sums.decode(), has_proofs=post.has(f"{folder}/{PROOFS}"))


def _shown(name: str, made: Packed, sums: str, *, has_proofs: bool) -> PackShown:
    lines = [line.split("  ", 1) for line in sums.splitlines() if not line.startswith("#")]
    files = [PackFile(file, digest, file.endswith(SEALED)) for digest, file in lines]
    files += [PackFile(README, None, False), PackFile(SUMS, made.sha256, False)]
    if has_proofs and PROOFS not in {each.name for each in files}:
        files.append(PackFile(PROOFS, None, True))
    return PackShown(name, made.insurer, made.version, made.people, made.sha256, tuple(files))
