"""`ecluse journal prove` and `check-proof`: proofs that stand alone, made here and checked anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ecluse.app.proving import prove_entry, prove_person
from ecluse.doors.cli.evidence_folder import read_evidence, read_found, write_evidence, write_found
from ecluse.doors.cli.journal_verify import FILE_UNREADABLE, WRONG_EXIT, text_of
from ecluse.doors.cli.screen import HERE, Dir, Json, instant, print_json
from ecluse.journal.entry import Entry, decode
from ecluse.journal.evidence import Checked, check_evidence
from ecluse.journal.merkle import leaf_hash
from ecluse.journal.note import typed_key
from ecluse.journal.policy import POLICY_BYTES_MAX, Policy, read_policy
from ecluse.journal.proof import verify_proof
from ecluse.journal.together import read_together
from ecluse.kernel import ids
from ecluse.kernel.errors import refusal
from ecluse.rights.person import person_message
from ecluse.wiring import OpenHub, open_hub
from ecluse.wiring.journal import provable

REFERENCE_BYTES = 16
TOGETHER = ".proofs"

PROVE_WHAT = refusal(
    "prove_what",
    400,
    "Say what to prove",
    fix="Give an entry; or --from, and a person: --reference, or --insurer with --member-number and --birth-date.",
)
PROOF_THERE = refusal("proof_there", 409, "There is something in this place", fix="Name a new one with --out.")
POLICY_INVALID = refusal("policy_invalid", 400, "The policy does not read", fix="See docs/witness.md for its lines.")


def prove(
    entry: Annotated[str, typer.Argument(metavar="[ENTRY]", help="chk_…, clm_… or SHARD/INDEX.")] = "",
    insurer: Annotated[str, typer.Option(help="The person's insurer (AMC number).")] = "",
    member_number: Annotated[str, typer.Option(help="The insurer's number of the member.")] = "",
    birth_date: Annotated[str, typer.Option(help="As the card has it, YYYY-MM-DD.")] = "",
    birth_rank: Annotated[int, typer.Option(help="Among those of one family born that day.")] = 1,
    reference: Annotated[str, typer.Option(help="The person's reference in the journal, 32 hexadecimal digits.")] = "",
    since: Annotated[
        str, typer.Option("--from", help="Entries from this instant on (ISO 8601; UTC without offset).")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Entries before this instant; now by default.")] = "",
    complete: Annotated[
        bool, typer.Option("--complete", help="Prove that there are no others, too: shows every entry of the window.")
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="The same, whatever times the hub gave entries: shows every entry of those months."
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write: a folder, or the first part of two files' names.")] = Path(
        "proof"
    ),
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Write the proof of an entry, or of all there is about a person in a window. Journalled before it is written.

    Example: ecluse journal prove --reference 8f…  --from 2026-11-01 --to 2026-11-25 --complete --out evidence
    """
    with open_hub(directory) as hub:
        if entry:
            told = _prove_entry(hub, entry, out)
        elif since and (reference or (insurer and member_number and birth_date)):
            person = _reference(reference) or _digest(hub, insurer, member_number, birth_date, birth_rank)
            told = _prove_person(hub, insurer, person, (since, until), out, complete=complete, whole=whole)
        else:
            raise PROVE_WHAT()
    print_json(told) if json else typer.echo("\n".join(f"{name}: {value}" for name, value in told.items()))


def check_proof(
    files: Annotated[
        list[Path],
        typer.Argument(help="Folders of evidence, *.tlog-proof with their .entry beside them, or *.proofs of a pack."),
    ],
    policy: Annotated[Path | None, typer.Option(help="Whom you believe: a C2SP tlog-policy.")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Instead: keys of logs (`ecluse journal key`). Repeatable.")
    ] = None,
    head: Annotated[
        list[Path] | None, typer.Option(help="A head a witness has: no shard may be missing or shorter. Repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Check proofs against whom you believe; it needs no hub and no network. Exit code 0 when all hold, 2 when one does not."""
    believed = policy_of(policy, key or [])
    found = {str(file): _check(file, believed, [text_of(each) for each in head or ()]) for file in files}
    if json:
        print_json({name: _told(each) for name, each in found.items()})
    else:
        for name, each in found.items():
            typer.echo("\n".join([f"{name}:", *_lines(each)]))
    if any(each.faults for each in found.values()):
        raise typer.Exit(WRONG_EXIT)


def _prove_entry(hub: OpenHub, named: str, out: Path) -> dict[str, Any]:
    found = hub.run(prove_entry(hub, provable(hub), named))
    if out.with_name(out.name + ".tlog-proof").exists():
        raise PROOF_THERE(f"{out}.tlog-proof")
    write_found(out, found)
    return {"entry": f"{out}.entry", "proof": f"{out}.tlog-proof", "index": found.proof.index}


def _prove_person(
    hub: OpenHub, insurer: str, person: bytes, window: tuple[str, str], out: Path, *, complete: bool, whole: bool
) -> dict[str, Any]:
    if out.exists():
        raise PROOF_THERE(str(out))
    now_ts_us = hub.now_ts_us
    from_ts_us, to_ts_us = instant(window[0], 0), instant(window[1], now_ts_us)
    proving = prove_person(hub, provable(hub), insurer, person, from_ts_us, to_ts_us, complete=complete, whole=whole)
    statement, shards = hub.run(proving)
    write_evidence(out, statement, shards)
    shown = sum(len(each.run.entries) for each in shards if each.run)
    return {
        "evidence": str(out),
        "found": sum(len(each.found) for each in shards),
        "complete": complete,
        "shown": shown,
    }


def _digest(hub: OpenHub, insurer: str, member_number: str, birth_date: str, birth_rank: int) -> bytes:
    message = person_message(member_number, ids.birth_date(birth_date), ids.birth_rank(birth_rank))
    return hub.keys.digest(ids.amc(insurer), message)


def _reference(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b"?"
    if len(found) not in (0, REFERENCE_BYTES):
        raise PROVE_WHAT("a reference is 32 hexadecimal digits")
    return found


def policy_of(file: Path | None, keys: list[str]) -> Policy:
    """Whom somebody believes: a policy's file, or keys. Raises `policy_invalid`, `journal_file_unreadable`."""
    if file is None:
        if not keys:
            raise POLICY_INVALID("neither --policy nor --key")
        return Policy(tuple(typed_key(each) for each in keys))
    try:
        with file.open("rb") as opened:
            return read_policy(opened.read(POLICY_BYTES_MAX + 1))
    except OSError:
        raise FILE_UNREADABLE(str(file)) from None
    except ValueError as wrong:
        raise POLICY_INVALID(str(wrong)) from None


def _check(file: Path, policy: Policy, heads: list[str]) -> Checked:
    try:
        if file.is_dir():
            return check_evidence(*read_evidence(file), policy, heads)
        if file.suffix == TOGETHER:
            return _together(file, policy)
        found = read_found(file)
        head = verify_proof(found.proof, leaf_hash(found.entry), policy)
        shard = head.origin.rpartition("/")[2]
        return Checked(
            ((shard, found.proof.index, decode(found.entry)),), ((shard, head.size, ""),), (), complete=False
        )
    except OSError:
        raise FILE_UNREADABLE(str(file)) from None
    except (ValueError, msgspec.MsgspecError) as wrong:
        return Checked((), (), (str(wrong),), complete=False)


def _together(file: Path, policy: Policy) -> Checked:
    with file.open("rb") as opened:
        head, entries = read_together(opened, policy)
        shard = head.origin.rpartition("/")[2]
        found = tuple((shard, index, decode(each)) for index, each in entries)
    return Checked(found, ((shard, head.size, ""),), (), complete=False)


def _told(found: Checked) -> dict[str, Any]:
    return {
        "holds": not found.faults,
        "complete": found.complete,
        "faults": found.faults,
        "entries": [{"shard": shard, "index": index, **_shown(entry)} for shard, index, entry in found.entries],
        "shards": [{"shard": shard, "size": size, "witnessed": until} for shard, size, until in found.shards],
    }


def _shown(entry: Entry) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.ts_us // 1_000_000, UTC).isoformat()
    names = ("operation", "account", "practice", "insurer", "fields", "outcome", "request")
    return {"at": at, **{name: getattr(entry, name) for name in names}, "person": entry.person.hex()}


def _lines(found: Checked) -> list[str]:
    lines = [f"  wrong: {fault}" for fault in found.faults]
    lines += [
        f"  {shard}/{index} {' '.join(str(value) for value in _shown(entry).values())}"
        for shard, index, entry in found.entries
    ]
    if found.complete:
        lines += ["  nothing else about this person in this window:"]
        lines += [f"    {shard}, {size:,} entries, {_vouched(until)}" for shard, size, until in found.shards]
    elif not found.faults:
        lines.append("  holds; it says nothing of other entries")
    return lines


def _vouched(until: str) -> str:
    return f"signed by witnesses at {until}" if until else "on the hub's word alone"


COMMANDS: dict[str, Callable[..., None]] = {"prove": prove, "check-proof": check_proof}
