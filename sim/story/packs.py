"""What each insurer does with its pack: checks its digests, opens it with its own key, and reads who is in it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from sim.auditor.lie import Oath

SUMS, SEALED, TAR, PROOFS = "SHA256SUMS", ".age", "preuves.tar", "preuves"  # the folder in the archive
COUNTED = re.compile(r": (\d+) entries are in the log")  # what the script of the proofs says of each log


@dataclass(frozen=True)
class Opened:
    """One insurer's pack, in clear in `folder`. `proofs`: entries whose proof in its archive holds."""

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


def open_pack(pack: Path, insurer: str, identity: pyrage.x25519.Identity, key: str, folder: Path, oath: Oath) -> Opened:
    """Open a pack into `folder`, and check its proofs with the journal's `key`.

    Raises `Lie` where a file is not what its list of digests says, or a proof does not hold.
    """
    folder.mkdir(parents=True)
    for line in (pack / SUMS).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        digest, _, name = line.partition("  ")
        sealed = (pack / name).read_bytes()
        oath.same("packs are the files of their digests", name, hashlib.sha256(sealed).hexdigest(), digest)
        (folder / name.removesuffix(SEALED)).write_bytes(pyrage.decrypt(sealed, [identity]))
    if (proofs := pack / (TAR + SEALED)).exists():  # made after what is listed
        (folder / TAR).write_bytes(pyrage.decrypt(proofs.read_bytes(), [identity]))
    count = _proved(folder / TAR, key, oath) if (folder / TAR).exists() else 0
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


def _proved(packed: Path, key: str, oath: Oath) -> int:
    """How many entries the archive proves, by the script that is in it. Raises `Lie` where that says one is not."""
    shutil.unpack_archive(packed, packed.parent)
    words = [sys.executable, str(packed.parent / PROOFS / "verifier.py"), key]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    oath.same("proofs of packs verify themselves", said.stdout[-500:], said.returncode, 0)
    return sum(map(int, COUNTED.findall(said.stdout)))


def _json(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_bytes())
    return read
