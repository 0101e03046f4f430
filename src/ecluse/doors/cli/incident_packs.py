"""`ecluse incident pack` and `evidence`: what is handed to insurers, and to whoever must check it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ecluse.app.exposure.proofs import Proofs
from ecluse.app.incidents.concerned import list_professionals
from ecluse.app.incidents.evidence import make_evidence, proved
from ecluse.app.incidents.handed import FOLDER as PACKS
from ecluse.app.incidents.letters import Drafted, draft_letters
from ecluse.app.incidents.packs import Making, Pack, make_packs
from ecluse.doors.cli.exposure import asking, write_file
from ecluse.doors.cli.incident_folder import check_free, write_bundle
from ecluse.doors.cli.incident_words import ByMe, Many, Named, opened
from ecluse.doors.cli.pack_folder import FolderOfPacks
from ecluse.doors.cli.pack_proofs import SpoolOfProofs
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, print_json
from ecluse.doors.incidents.page import page
from ecluse.wiring import OpenHub
from ecluse.wiring.journal import provable
from ecluse.wiring.keys import journal_family
from ecluse.wiring.letters import printed_form


def pack(
    incident: Named,
    by: ByMe,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder the packs go into; by default the hub's, where insurers fetch theirs over HTTP."),
    ] = None,
    insurers: Annotated[Many, typer.Option("--insurer", help="Only this insurer's; repeat.")] = [],  # noqa: B006
    zipped: Annotated[bool, typer.Option("--zip", help="One encrypted zip an insurer, not a file each.")] = False,
    proofs: Annotated[bool, typer.Option("--proofs/--no-proofs", help="With the proof of each display.")] = True,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Make each insurer's pack, encrypted to it: its people, CNIL's form, register, DORA, letters' rows, proofs. Example:

    ecluse journal export && ecluse incident pack inc_… --by 'Anne Martin, DPO'
    """
    place = out or directory / "out" / PACKS
    with opened(directory) as hub, asking(quiet=json) as told, _proving(hub, incident, place, wanted=proofs) as proving:
        making = Making(by, FolderOfPacks(place, zipped=zipped), page, printed_form(), proving, tuple(insurers))
        found = hub.run(make_packs(hub, incident, making, told))
    print_json(found) if json else OUT.print(_table(found))


@contextmanager
def _proving(hub: OpenHub, incident: str, out: Path, *, wanted: bool) -> Iterator[Proofs | None]:
    """What proofs are made from, on their way into packs."""
    if not wanted:
        yield None
        return
    with closing(SpoolOfProofs(out, incident)) as spool:
        yield Proofs(provable(hub), spool, packed=True)


def _table(found: list[Pack]) -> Table:
    table = Table("insurer", "people", "pack", "to fill", box=None)
    for each in found:
        said = each.pack if each.recipient else f"{each.pack}: no key, counts alone"
        table.add_row(each.insurer, str(each.members), said, str(len(each.to_fill)))
    return table


def evidence(
    incident: Named,
    by: ByMe,
    made_for: Annotated[str, typer.Option("--for", help="Who gets it: it is written in the journal.")],
    out: Annotated[Path, typer.Option(help="The folder it goes into; a new one.")],
    displays: Annotated[
        bool, typer.Option("--displays/--no-displays", help="With the entry of each display, two files each.")
    ] = True,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Make a folder that a stranger verifies off line: events, entries, proofs, rules, and the script that checks them. Example:

    ecluse journal export && ecluse incident evidence inc_… --by 'Anne Martin, DPO' --for 'CNIL' --out preuves/
    """
    check_free(out)
    with opened(directory) as hub, asking(quiet=json) as told:
        journal = provable(hub)
        bundle = hub.run(make_evidence(hub, incident, by, made_for, told, displays=displays))
        key = journal_family(directory).text
        files = write_bundle(out, bundle, key, proved(journal, bundle.places))
    shown = {
        "evidence": str(out),
        "entries": bundle.report["entries"],
        "events": len(bundle.openings),
        "files": files,
        "key": key,
    }
    print_json(shown) if json else typer.echo("\n".join(f"{name}: {value}" for name, value in shown.items()))


def professionals(
    incident: Named,
    by: ByMe,
    out: Annotated[Path, typer.Option(help="The folder professionnels.csv and .parquet go into.")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """List the professionals whose own data were exposed (RIB, SIRET, contact): they are the hub's to tell. Example:

    ecluse incident professionals inc_… --by 'Anne Martin, DPO' --out professionnels/
    """
    with opened(directory) as hub:
        listed = hub.run(list_professionals(hub, incident, by))
    for name, content in listed.files.items():
        write_file(out / name, content)
    shown = {"professionals": listed.professionals, "files": [str(out / name) for name in listed.files]}
    print_json(shown) if json else typer.echo(f"{listed.professionals} professionals: {out}")


def letters(
    incident: Named,
    insurers: Annotated[Many, typer.Option("--insurer", help="Only this insurer's; repeat.")] = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(help="A folder for their texts, a file each.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Read the letters an incident gives before anybody prints one: their words, for how many people, what forbids to send them.

    Names are made up; insurers merge their own with `ecluse letters render`. Example:

    ecluse journal export && ecluse incident letters inc_… --out lettres/
    """
    with opened(directory) as hub, asking(quiet=json) as told:
        drafted = hub.run(draft_letters(hub, incident, insurers, told))
    if out:
        for name, text in _texts(drafted):
            write_file(out / name, text.encode())
    print_json(drafted) if json else OUT.print(_letters_table(drafted))


def _texts(drafted: Drafted) -> Iterator[tuple[str, str]]:
    """Each text, and the name of its file."""
    for each in drafted.insurers:
        for number, letter in enumerate(each.letters, 1):
            yield f"{each.insurer}-{number}.txt", letter.text
            yield f"{each.insurer}-{number}-enfant.txt", letter.text_child


def _letters_table(drafted: Drafted) -> Table:
    table = Table("insurer", "people", "what was seen", "may be sent", box=None)
    for each in drafted.insurers:
        if each.missing:
            table.add_row(each.insurer, str(each.people), "", f"not yet: {each.missing}")
        for letter in each.letters:
            wrong = ", ".join(dict.fromkeys(finding.rule for finding in letter.findings))
            table.add_row(each.insurer, str(letter.people), ", ".join(letter.shown), f"no: {wrong}" if wrong else "yes")
    return table


COMMANDS: dict[str, Callable[..., None]] = {
    "pack": pack,
    "evidence": evidence,
    "professionals": professionals,
    "letters": letters,
}
