"""Letters as PDF, by Typst: tagged for screen readers (PDF/UA-1), its own fonts inside, nothing fetched.

The same letter gives the same bytes. It goes in as JSON, so that nothing in a name or an address is ever read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typst

from ecluse.breach.letters.compose import PLACES, Block, Sheet, day
from ecluse.kernel.errors import refusal

LETTER_NOT_PRINTED = refusal(
    "letter_not_printed",
    422,
    "A letter has a sign that its font cannot show",
    fix="Write names and addresses in Latin, Greek or Cyrillic letters, as La Poste asks for the first.",
)

_TEMPLATE = Path(__file__).with_name("letter.typ")


class Typst:
    """A press: the template is read once, and each letter is one compilation."""

    def __init__(self) -> None:
        self._compiler = typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)

    def pdf(self, sheet: Sheet, blocks: Sequence[Block], values: Mapping[str, str]) -> bytes:
        """One letter; `values` by the name of their place. Raises `letter_not_printed`; its detail quotes nothing."""
        content = msgspec.json.encode(
            {"title": sheet.title, "sender": sheet.sender, "to": sheet.to, "on": day(sheet.on), "blocks": blocks}
        ).decode()
        for name, value in values.items():
            content = content.replace(PLACES[name], msgspec.json.encode(value).decode()[1:-1])
        made = datetime(sheet.on.year, sheet.on.month, sheet.on.day, tzinfo=UTC)
        try:
            pdf = self._compiler.compile(
                sys_inputs={"letter": content}, format="pdf", pdf_standards="ua-1", timestamp=made
            )
        except typst.TypstError:  # its message has the text that could not be shown
            raise LETTER_NOT_PRINTED() from None
        assert isinstance(pdf, bytes), "one document"
        return pdf
