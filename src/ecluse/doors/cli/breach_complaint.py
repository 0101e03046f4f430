"""`ecluse breach complaint`: a victim's complaint from facts on standard input, to be signed and sent by the victim, or not."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ecluse.breach.complaint import TITLE, Complaint, prepare
from ecluse.breach.facts import BYTES_MAX, read
from ecluse.breach.letters.compose import Sheet
from ecluse.doors.cli.screen import print_json
from ecluse.doors.letters.page import page
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import refusal

COMPLAINT_NOT_WRITTEN = refusal(
    "complaint_not_written", 400, "The complaint was not written", fix="Name a file in a folder that is there."
)


def complaint(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write it as a page.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Also write it as a PDF, to sign.")] = None,
    _json: Annotated[bool, typer.Option("--json", help="The answer is always JSON; accepted for uniformity.")] = False,
) -> None:
    """Fill in a victim's complaint: to whom, what happened, which articles. It is never sent for the person.

    Send what is known: `person` {last_name, first_name, birth_date, birth_place, address, phone, email, representative},
    `insurer`, `inquiry` (tiers-payant-2024) or `addressee`, `from`, `to`, `told_on`, `fields` (names of `ecluse letters lint`),
    `identity_used`, `money_lost`, `what_followed`, `place`, `on`. What is left out is a blank, listed in `to_fill`.

    Example:

      echo '{"inquiry": "tiers-payant-2024", "person": {"last_name": "Martin"}, "fields": ["national_number"]}' |
      ecluse breach complaint --pdf plainte.pdf
    """
    facts = read(sys.stdin.buffer.read(BYTES_MAX + 1), Complaint)
    prepared, blocks = prepare(facts)
    name = f"{facts.person.first_name} {facts.person.last_name}".strip()
    sender = tuple(each for each in (name, *facts.person.address) if each)
    if html is not None:
        _write(html, page(TITLE, prepared.to, blocks).encode())
    if pdf is not None:
        from ecluse.wiring.letters import press  # the press is 80 MB, that only who prints pays

        sheet = Sheet(TITLE, sender, prepared.to, facts.on or paris_day(datetime.now(UTC)))
        _write(pdf, press().pdf(sheet, blocks, {}))
    print_json(prepared)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise COMPLAINT_NOT_WRITTEN(str(error.strerror)) from None
