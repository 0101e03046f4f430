"""Evidence as a folder that can be handed over: a statement, and for each shard its head, proofs, entries and run."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ecluse.journal.evidence import Found, Run, ShardEvidence, Statement
from ecluse.journal.merkle import HASH_BYTES
from ecluse.journal.note import NOTE_BYTES_MAX
from ecluse.journal.proof import PROOF_BYTES_MAX, read_proof
from ecluse.journal.ranges import RANGE_MAX
from ecluse.journal.tiles import bundle, entries_of, split

STATEMENT = "statement.json"
ENTRY, PROOF = ".entry", ".tlog-proof"
RUN_BYTES_MAX = 4 << 30  # a month of one busy writer
STATEMENT_BYTES_MAX = 64 << 10
_START = struct.Struct(">Q")


class _Written(msgspec.Struct, frozen=True):
    format: str
    person: str
    insurer: str
    from_ts_us: int
    to_ts_us: int
    made_ts_us: int
    complete: bool
    whole: bool = False


FORMAT = "ecluse-evidence@v1"


def write_evidence(folder: Path, statement: Statement, shards: list[ShardEvidence]) -> None:
    """Write it all. Raises `FileExistsError` when the folder is there, `OSError`."""
    folder.mkdir(mode=0o700, parents=True)
    told = _Written(FORMAT, statement.person.hex(), *msgspec.structs.astuple(statement)[1:])
    (folder / STATEMENT).write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    for each in shards:
        place = folder / each.shard
        place.mkdir()
        (place / "checkpoint").write_text(each.note)
        for found in each.found:
            write_found(place / str(found.proof.index), found)
        if each.opening:
            write_found(place / "opening", each.opening)
        if each.run:
            head = _START.pack(each.run.start) + bytes([len(each.run.hashes)])
            (place / "run").write_bytes(head + b"".join(each.run.hashes) + bundle(each.run.entries))


def write_found(base: Path, found: Found) -> None:
    """Write an entry's bytes and then, by rename, its proof, as `BASE.entry` and `BASE.tlog-proof`. Raises `OSError`."""
    base.with_name(base.name + ENTRY).write_bytes(found.entry)
    part = base.with_name(base.name + ".part")
    part.write_text(found.proof.text)
    part.replace(base.with_name(base.name + PROOF))


def read_evidence(folder: Path) -> tuple[Statement, list[ShardEvidence]]:
    """What `write_evidence` wrote. Raises `ValueError` on anything else, `OSError`."""
    try:
        told = msgspec.json.decode(limited(folder / STATEMENT, STATEMENT_BYTES_MAX), type=_Written)
    except msgspec.MsgspecError:
        raise ValueError("the statement does not read") from None
    if told.format != FORMAT:
        raise ValueError(f"not {FORMAT}")
    given = msgspec.structs.astuple(told)[2:]
    return Statement(bytes.fromhex(told.person), *given), list(_shards(folder))


def read_found(proof: Path) -> Found:
    """An entry beside its proof, `BASE.tlog-proof`. Raises `ValueError`, `OSError`."""
    entry = proof.with_name(proof.name.removesuffix(PROOF) + ENTRY)
    return Found(limited(entry, 1 << 16), read_proof(limited(proof, PROOF_BYTES_MAX).decode()))


def limited(file: Path, bytes_max: int) -> bytes:
    """A file's bytes. Raises `ValueError` when there are too many, `OSError`."""
    with file.open("rb") as opened:
        content = opened.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ValueError(f"{file.name} is too long")
    return content


def _shards(folder: Path) -> Iterator[ShardEvidence]:
    for place in sorted(each for each in folder.iterdir() if each.is_dir()):
        proofs = sorted(each for each in place.glob("*.tlog-proof") if each.name != "opening.tlog-proof")
        opening = place / "opening.tlog-proof"
        yield ShardEvidence(
            place.name,
            limited(place / "checkpoint", NOTE_BYTES_MAX).decode(),
            tuple(read_found(each) for each in proofs),
            _run(place / "run") if (place / "run").exists() else None,
            read_found(opening) if opening.exists() else None,
        )


def _run(file: Path) -> Run:
    content = limited(file, RUN_BYTES_MAX)
    if len(content) <= _START.size or content[_START.size] > RANGE_MAX:
        raise ValueError("a run that does not read")
    at = _START.size + 1
    end = at + content[_START.size] * HASH_BYTES
    return Run(_START.unpack_from(content)[0], tuple(split(content[at:end])), tuple(entries_of(content[end:])))
