"""What each insurer does with its pack: checks its digests, opens it with its own key, and reads who is in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from sim.auditor.lie import Oath

SUMS, SEALED, TAR = "SHA256SUMS", ".age", "preuves.tar"


@dataclass(frozen=True)
class Opened:
    """One insurer's pack, in clear in `folder`. `proofs`: entries with their proof in its archive."""

    insurer: str
    folder: Path
    people: str  # personnes.csv; empty where nobody was displayed
    counts: dict[str, Any]
    letters: tuple[dict[str, Any], ...]
    proofs: int
    form: dict[str, Any]

    @property
    def to_fill(self) -> tuple[str, ...]:
        """What a person must still write in CNIL's form."""
        return tuple(self.form["to_fill"])


def open_pack(pack: Path, insurer: str, identity: pyrage.x25519.Identity, folder: Path, oath: Oath) -> Opened:
    """Open a pack into `folder`. Raises `Lie` where a file is not what its list of digests says."""
    folder.mkdir(parents=True)
    for line in (pack / SUMS).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        digest, _, name = line.partition("  ")
        sealed = (pack / name).read_bytes()
        oath.same("packs are the files of their digests", name, hashlib.sha256(sealed).hexdigest(), digest)
        (folder / name.removesuffix(SEALED)).write_bytes(pyrage.decrypt(sealed, [identity]))
    proofs = pack / (TAR + SEALED)
    count = _proofs(pyrage.decrypt(proofs.read_bytes(), [identity]), folder) if proofs.exists() else 0
    people, rows = folder / "personnes.csv", folder / "courriers.jsonl"
    return Opened(
        insurer,
        folder,
        people.read_text(encoding="utf-8") if people.exists() else "",
        _json(folder / "comptes.json"),
        tuple(json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()) if rows.exists() else (),
        count,
        _json(folder / "notification-cnil.json"),
    )


def lists_of(packs: Mapping[str, Opened]) -> dict[str, str]:
    """Each insurer's list of people, as CSV; none of those of whom nobody was displayed."""
    return {insurer: pack.people for insurer, pack in packs.items() if pack.people}


def _proofs(content: bytes, folder: Path) -> int:
    """The archive as it is, for it is thousands of files; how many entries it has, each beside its proof."""
    (folder / TAR).write_bytes(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        names = {each.name for each in archive}
    entries = {name.removesuffix(".entry") for name in names if name.endswith(".entry")}
    proved = {name.removesuffix(".tlog-proof") for name in names if name.endswith(".tlog-proof")}
    return len(entries & proved)


def _json(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_bytes())
    return read
