"""An incident's evidence as a folder that verifies itself: entries, proofs, events in clear, rules, a script of 100 lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.incidents.evidence import Bundle
from ecluse.doors.cli.evidence_folder import ENTRY, PROOF
from ecluse.doors.cli.explain import FILE_UNWRITABLE
from ecluse.doors.cli.journal_prove import PROOF_THERE
from ecluse.doors.cli.pack_folder import SUMS
from ecluse.formats.professional_list import professionals_as_csv, professionals_as_parquet
from ecluse.journal.evidence import Found

PART = ".part"
PROFESSIONALS = "professionnels"
SUM_BYTES = 1 << 20


def check_free(folder: Path) -> None:
    """Raise `proof_there` where something is at this place."""
    if folder.exists():
        raise PROOF_THERE(str(folder))


def write_bundle(folder: Path, bundle: Bundle, key: str, entries: Iterable[tuple[str, Found]]) -> int:
    """Write it, whole or not under its name; the number of files. Raises `file_unwritable`."""
    part = folder.with_name(folder.name + PART)
    sums = []
    try:
        for name, content in _contents(bundle, key, entries):
            file = part / name
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_bytes(content)
            sums.append(f"{sha256(content).hexdigest()}  {name}\n")
        (part / SUMS).write_text("".join(sums), encoding="utf-8")
        part.replace(folder)
    except OSError as broken:
        raise FILE_UNWRITABLE(f"{folder}: {broken.strerror}") from None
    return len(sums)


def _contents(bundle: Bundle, key: str, entries: Iterable[tuple[str, Found]]) -> Iterator[tuple[str, bytes]]:
    packaged = files("ecluse.doors.incidents")
    readme = (packaged / "lisezmoi-preuves.txt").read_text(encoding="utf-8")
    yield "LISEZMOI.txt", readme.format(**{name: bundle.report[name] for name in ("incident", "made_for")}).encode()
    yield "verifier.py", (packaged / "verifier.txt").read_bytes()
    yield "cle.txt", f"{key}\n".encode()
    yield "rapport.json", _json(bundle.report)
    yield "chronologie.json", _json(bundle.timeline)
    if bundle.professionals:
        yield PROFESSIONALS + ".csv", professionals_as_csv(bundle.professionals)
        yield PROFESSIONALS + ".parquet", professionals_as_parquet(bundle.professionals)
    for each in bundle.openings:
        yield f"evenements/{each.number:04d}.json", each.content
        yield f"evenements/{each.number:04d}.sel", each.salt.hex().encode()
    yield from ((f"regles/{name}", content) for name, content in bundle.law.items())
    for shard, found in entries:
        base = f"entrees/{shard}-{found.proof.index}"
        yield base + ENTRY, found.entry
        yield base + PROOF, found.proof.text.encode()


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
