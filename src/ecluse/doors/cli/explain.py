"""`ecluse explain`: why a claim, a quote or a question is shared out as it is, as a chart and in sentences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ecluse.app.explain import ExplainedLine, Explanation
from ecluse.app.explain import explain as explain_in
from ecluse.coverage.waterfall import waterfall
from ecluse.doors.cards.html import page
from ecluse.doors.cards.text import as_text
from ecluse.doors.cli.quote import BYTES_MAX, read_question, turn
from ecluse.doors.cli.screen import HERE, Dir, Json, print_json
from ecluse.kernel.errors import refusal
from ecluse.wiring import open_hub

QUESTION = "-"

FILE_UNWRITABLE = refusal("file_unwritable", 500, "The file cannot be written", fix="Check its folder and its rights.")


def explain(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="clm_… or quo_…; nothing or - reads a question from standard input.")
    ] = QUESTION,
    html: Annotated[Path | None, typer.Option(help="Write a page with one card a line to this file.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Show why a claim or a quote is shared out as it is: each step with its rule, its article and its amount, in French.

    What is shown of a claim or a quote is written in the journal first. A question is that of `ecluse quote`, no hub needed:

    echo '{"expense_cents":5000,"base_cents":3150,"amo_rate":"70%","guarantee":"BR_INCL:150"}' | ecluse explain
    """
    explanation = _question() if id_ == QUESTION else _kept(id_, directory)
    if html is not None:
        _write(html, page(explanation))
    if json:
        print_json(explanation)
    elif html is None:
        sys.stdout.write(as_text(explanation))


def _question() -> Explanation:
    asked = read_question(sys.stdin.buffer.read(BYTES_MAX + 1))
    return Explanation("", (ExplainedLine(1, waterfall([turn(asked)]), quantity=asked.quantity),))


def _kept(id_: str, directory: Path) -> Explanation:
    with open_hub(directory) as hub:
        return hub.run(explain_in(hub, id_)).answer


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as broken:
        raise FILE_UNWRITABLE(f"{file}: {broken.strerror}") from None
