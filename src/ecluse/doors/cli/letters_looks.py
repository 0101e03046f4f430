"""`ecluse letters who-looked`: run by the insurer, without a hub: pages for its members, from its opened list of first looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ecluse.app.ports import Post
from ecluse.breach.letters.compose import plain_text
from ecluse.breach.letters.looks import Looked, against, blocks, looked_at, title
from ecluse.breach.letters.pack import Sender, read_sender
from ecluse.doors.cli.evidence_folder import read_evidence
from ecluse.doors.cli.given import read_whole
from ecluse.doors.cli.journal_prove import policy_of
from ecluse.doors.cli.letters_render import LETTER_FILE, SHARED_BYTES_MAX
from ecluse.doors.cli.screen import Json, instant, print_json
from ecluse.doors.letters.page import page
from ecluse.exposure.categories import BILLED_WITHIN
from ecluse.formats.opening_list import FEED_BYTES_MAX, OpeningRow, Settled, read_openings, read_settled
from ecluse.journal.evidence import check_evidence
from ecluse.kernel.days import instant as at
from ecluse.kernel.days import paris_day, ts_us
from ecluse.kernel.errors import refusal
from ecluse.rules.book import open_book

SPREAD_CHARS = 2  # of the reference: 256 folders

EVIDENCE_WRONG = refusal(
    "looks_evidence_wrong",
    422,
    "This evidence proves nothing of this person's looks",
    fix="Ask the hub for: ecluse journal prove --reference … --from … --complete, and name its folder after the reference.",
)


References = Annotated[
    list[str] | None, typer.Option("--reference", metavar="HEX", help="Only of this person; repeat.")
]
Evidence = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folders of `ecluse journal prove --complete`, named by reference.")
]


def who_looked(
    feed: Annotated[list[Path], typer.Option("--feed", metavar="CSV", help="Pages of the feed, opened; repeat.")],
    sender: Annotated[
        Path, typer.Option("--sender", metavar="FILE", help="TOML: the insurer's name, phone, dpo_contact.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages go.")],
    paid: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Claims you paid: member_number, birth_date, birth_rank, practice, on."),
    ] = None,
    until: Annotated[
        str, typer.Option(metavar="INSTANT", help="Up to when the feed was read.", show_default="now")
    ] = "",
    references: References = None,
    evidence: Evidence = None,
    policy: Annotated[Path | None, typer.Option(help="Whom you believe of the journal: a C2SP tlog-policy.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Instead: keys of the journal (`ecluse journal key`).")] = None,
    json: Json = False,
) -> None:
    """Write what each of your members may see of first looks at their rights: data, page and text. It needs no hub.

    Exit code 2 when a person's evidence and the feed do not say the same: the page says so, too.

    Example:

      ecluse letters who-looked --feed page1.csv --feed page2.csv --paid payes.csv --sender mutuelle.toml --out acces/
    """
    from ecluse.wiring.letters import folder

    said = read_sender(read_whole(sender, SHARED_BYTES_MAX, LETTER_FILE))
    claims: list[Settled] | None = [*read_settled(read_whole(paid, FEED_BYTES_MAX, LETTER_FILE))] if paid else None
    read_until = at(instant(until, ts_us(datetime.now(UTC))))
    days = open_book().on(paris_day(read_until), BILLED_WITHIN).count
    found = looked_at(_rows(feed), claims, read_until, days)
    wanted = [each for each in found if not references or each.reference in references]
    if evidence:
        wanted = [_held(each, evidence / each.reference, policy, key or []) for each in wanted]
    _write(wanted, said, folder(out))
    differ = [each.reference for each in wanted if each.whole == "differs"]
    told = {
        "people": len(wanted),
        "looks": sum(len(each.looks) for each in wanted),
        "proved": sum(each.whole == "proved" for each in wanted),
        "differ": differ,
    }
    print_json(told) if json else typer.echo("\n".join(f"{name}: {value}" for name, value in told.items()))
    raise typer.Exit(2 if differ else 0)


def _rows(feed: Iterable[Path]) -> Iterator[OpeningRow]:
    for each in feed:
        yield from read_openings(read_whole(each, FEED_BYTES_MAX, LETTER_FILE))


def _held(found: Looked, folder: Path, policy: Path | None, keys: list[str]) -> Looked:
    """Held against its evidence, where there is some. Raises `looks_evidence_wrong`, `policy_invalid`."""
    if not folder.exists():
        return found
    try:
        statement, shards = read_evidence(folder)
        checked = check_evidence(statement, shards, policy_of(policy, keys))
    except (OSError, ValueError, msgspec.MsgspecError) as wrong:
        raise EVIDENCE_WRONG(f"{folder.name}: {wrong}") from None
    if statement.person.hex() != found.reference or not checked.complete:
        raise EVIDENCE_WRONG(f"{folder.name}: {'; '.join(checked.faults) or 'of somebody else, or not --complete'}")
    entries = [entry for _, _, entry in checked.entries]
    return against(found, entries, statement.from_ts_us, statement.to_ts_us)


def _write(people: Iterable[Looked], sender: Sender, post: Post) -> None:
    post.put_all(file for each in people for file in _files(each, sender))


def _files(each: Looked, sender: Sender) -> Iterator[tuple[str, bytes]]:
    parts, heading = blocks(each, sender), title(each)
    name = f"{each.reference[:SPREAD_CHARS]}/{each.reference}"
    yield f"{name}.json", msgspec.json.format(msgspec.json.encode(each), indent=1) + b"\n"
    yield f"{name}.html", page(heading, (sender.name, *sender.address), parts).encode()
    yield f"{name}.txt", f"{sender.name}\n\n{heading}\n\n{plain_text(parts)}\n".encode()
