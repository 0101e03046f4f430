"""Thousands of letters in one PDF for a printer, by ReportLab: shared pages are in the file once, letters add their own lines.

Every letter begins on a front side. The fonts are Bitstream Vera, which ReportLab brings, embedded; the same letters give the
same bytes. Nothing is tagged: it is for paper, and who reads with a screen reader gets the page or the text of `letters render`.
"""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache

import msgspec
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from ecluse.breach.letters.compose import Block, Sheet, day, filled
from ecluse.engines.typesetting import LETTER_NOT_PRINTED
from ecluse.engines.typesetting.layout import (
    HEIGHT,
    LEADING,
    WIDTH,
    WINDOW_LEFT,
    WINDOW_TOP,
    Own,
    Plan,
    Printed,
    Style,
    lay,
    own_lines,
    wrapped,
)

FILES = {"regular": ("ecluse-regular", "Vera.ttf"), "bold": ("ecluse-bold", "VeraBd.ttf")}
ADDRESS = Style("regular", 10)
ADDRESS_LINES_MAX = 7  # what the window shows; a contact has at most six
PLANS_MAX = 1 << 12
SPACES = str.maketrans(
    {"\u202f": "\u00a0", "\u2011": "-"}
)  # the font has one unbreakable space, and no hyphen of that kind

Words = tuple[tuple[str, ...], ...]  # a letter's own lines, each cut to the column


class Composed(msgspec.Struct, frozen=True, eq=False):
    """A letter that can be printed: its plan, its own lines, its address."""

    plan: Plan
    own: Words
    to: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many it takes, without the blank that ends a sheet."""
        return len(self.plan.shared)


class ReportLab:
    """The `BatchPress`: letters composed one by one, then printed together."""

    def __init__(self) -> None:
        for name, file in FILES.values():
            pdfmetrics.registerFont(TTFont(name, file))
        self._signs = {font: frozenset(pdfmetrics.getFont(name).face.charToGlyph) for font, (name, _) in FILES.items()}
        self._own = cache(own_lines)
        self._plan = lru_cache(PLANS_MAX)(self._laid)

    def compose(self, sheet: Sheet, blocks: tuple[Block, ...], values: Mapping[str, str]) -> Composed:
        """A letter to be printed. Raises `letter_not_printed`; its detail quotes nothing."""
        own = tuple(self._words(each, values) for each in self._own(blocks))
        to = tuple(self._shown(each, "regular") for each in sheet.to[:ADDRESS_LINES_MAX])
        plan = self._plan(sheet.title, sheet.sender, day(sheet.on), blocks, tuple(map(len, own)))
        return Composed(plan, own, to)

    def printed(self, title: str, letters: Sequence[Composed]) -> bytes:
        """All of them in one PDF, in this order."""
        out = io.BytesIO()
        canvas = Canvas(out, (WIDTH, HEIGHT), pageCompression=0, invariant=1, lang="fr")
        canvas.setTitle(title)
        forms: dict[int, tuple[str, ...]] = {}
        with _uncollected():
            for each in letters:
                if id(each.plan) not in forms:
                    forms[id(each.plan)] = _forms(canvas, each.plan, len(forms))
                _print(canvas, each, forms[id(each.plan)])
            canvas.save()
        return out.getvalue()

    def _words(self, own: Own, values: Mapping[str, str]) -> tuple[str, ...]:
        text = self._shown(filled(own.text, values), own.style.font)
        return wrapped(text, own.style, own.width, _measure)

    def _laid(
        self, title: str, sender: tuple[str, ...], on: str, blocks: tuple[Block, ...], counts: tuple[int, ...]
    ) -> Plan:
        plan = lay(title, sender, on, blocks, counts, _measure)
        pages = [
            tuple(msgspec.structs.replace(line, text=self._shown(line.text, line.style.font)) for line in page)
            for page in plan.shared
        ]
        return msgspec.structs.replace(plan, shared=tuple(pages))

    def _shown(self, text: str, font: str) -> str:
        """The text in signs that the font has. Raises `letter_not_printed`."""
        if text.isascii():
            return text
        text = text.translate(SPACES)
        if not self._signs[font].issuperset(map(ord, text)):
            raise LETTER_NOT_PRINTED()
        return text


@contextmanager
def _uncollected() -> Iterator[None]:
    """Meanwhile no garbage is looked for: all of a file lives until it is saved; looking takes a quarter of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _forms(canvas: Canvas, plan: Plan, number: int) -> tuple[str, ...]:
    """The shared pages of a plan, drawn once under their names."""
    names = tuple(f"plan{number}page{page}" for page in range(len(plan.shared)))
    for page, (name, lines) in enumerate(zip(names, plan.shared, strict=True)):
        canvas.beginForm(name, 0, 0, WIDTH, HEIGHT)
        for on, *box in plan.boxes:
            if on == page:
                canvas.rect(*box)
        _write(canvas, [(each, each.text) for each in lines])
        canvas.endForm()
    return names


def _print(canvas: Canvas, letter: Composed, forms: tuple[str, ...]) -> None:
    for page, (form, places) in enumerate(zip(forms, letter.plan.own, strict=True)):
        canvas.doForm(form)
        lines = [(each, letter.own[each.own[0]][each.own[1]]) for each in places if each.own]
        _write(canvas, lines if page else [*_address(letter.to), *lines])
        canvas.showPage()
    if len(forms) % 2:
        canvas.showPage()


def _address(to: Sequence[str]) -> list[tuple[Printed, str]]:
    top, step = HEIGHT - WINDOW_TOP, ADDRESS.size * LEADING
    return [(Printed(WINDOW_LEFT, top - (at + 1) * step, ADDRESS, line), line) for at, line in enumerate(to)]


def _write(canvas: Canvas, lines: Sequence[tuple[Printed, str]]) -> None:
    if not lines:
        return
    text, style = canvas.beginText(), None
    for place, said in lines:
        if place.style is not style:
            style = place.style
            text.setFont(FILES[style.font][0], style.size)
        text.setTextOrigin(place.x, place.y)
        text.textOut(said)
    canvas.drawText(text)


def _measure(text: str, font: str, size: float) -> float:
    width: float = pdfmetrics.stringWidth(text, FILES[font][0], size)
    return width
