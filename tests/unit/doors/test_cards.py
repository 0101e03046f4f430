"""Cards and terminal charts, whatever the line: inside their width, escaped, with the same numbers for who does not see them."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from lxml import html as reader
from msgspec.structs import replace

from ecluse.app.explain import ExplainedLine, Explanation
from ecluse.claims.claim import Billed, Priced
from ecluse.claims.price import turns
from ecluse.coverage.waterfall import waterfall
from ecluse.doors.cards.html import card, page
from ecluse.doors.cards.reading import signed
from ecluse.doors.cards.text import COLUMNS, as_text
from tests.unit.claims.test_price import billed, payer, shared
from tests.unit.claims.test_waterfall import PAYERS, STATED


def explained(priced: Priced) -> ExplainedLine:
    one = priced.billed
    return ExplainedLine(one.line, waterfall(turns(priced)), one.act, one.date, one.quantity)


@settings(deadline=None)  # the first card compiles its template
@given(STATED, PAYERS)
def test_every_line_is_drawn_inside_its_width(one: Billed, payers: list) -> None:  # type: ignore[type-arg]
    (priced,) = shared([one], payers)
    line = explained(priced)
    assert max(map(len, as_text(Explanation("clm_1", (line,))).splitlines())) <= COLUMNS
    drawn: Any = reader.fragment_fromstring(str(card(line, "clm_1")))
    for bar in drawn.iter("rect"):
        start, length = float(bar.get("x")), float(bar.get("width"))
        assert start >= 148
        assert start + length <= 268 + 1.6  # a bar of a cent is made wide enough to be seen
    shown = [row[1].text_content() for row in drawn.iter("tr")][1:]
    assert shown == [signed(bar.cents) for bar in (*line.waterfall.bars, *line.waterfall.asides)]


def test_what_an_insurer_wrote_is_text_and_never_markup() -> None:
    (priced,) = shared([billed()], [payer("TM:100", since=date(2026, 7, 1), more=", waiting_months: 6")])
    (paid,) = priced.paid
    labelled = replace(paid, waits=(("<script>&", date(2027, 1, 1)),))
    text = page(Explanation("quo_1", (explained(replace(priced, paid=(labelled,))),), 2))
    assert "<script" not in text
    assert "&lt;script&gt;&amp;" in text
    assert "Les 2 dernières lignes n’ont pas été gardées" in text
