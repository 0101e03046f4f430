"""`ecluse letters`: letters to people whose data were seen. No hub is needed: they are merged and checked at the insurer's."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from ecluse.breach.facts import BYTES_MAX, read
from ecluse.breach.letter import Letter
from ecluse.breach.letter import lint as linted
from ecluse.doors.cli.letters_render import check, professionals, render

app = typer.Typer(help="Letters to people whose data were seen.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Letters to people whose data were seen."""


@app.command("lint")
def lint(
    _json: Annotated[bool, typer.Option("--json", help="The answer is always JSON; accepted for uniformity.")] = False,
) -> None:
    """Say what forbids to send a letter in French: hedges, missing parts, fields not proved, too hard to read; then exit code 2.

    Send one JSON object: `text`, the letter; `shown`, the fields the journal proves were seen; `not_shown`, those it proves
    were not; and, where known, `minor` and `via_holder` (docs/breach.md).

    Example:

      echo '{"text": "Vos données sont peut-être concernées.", "shown": ["national_number"]}' | ecluse letters lint
    """
    answer = linted(read(sys.stdin.buffer.read(BYTES_MAX + 1), Letter))
    typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=1))
    raise typer.Exit(0 if answer.ok else 2)


app.command("render")(render)
app.command("professionals")(professionals)
app.command("check")(check)
