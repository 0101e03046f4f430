"""The page of a call for funds reads on a telephone, and aloud."""

from __future__ import annotations

from datetime import date

from lxml import html

from ecluse.formats.call import Notice, call_html
from ecluse.payments.call import Call, CallLine, CallState
from ecluse.payments.transfer import Debtor

LINES = (CallLine("clm_1", "370000028", "F-1", 2_795), CallLine("clm_2", "370000028", "F-2", -500))
HEAD = ("cff_06H2Z839P04R1G1PWYEK", "run_2026-11-23_1", "0075123456", CallState.CALLED, 2_295, "CFF-1")
CALL = Call(*HEAD, lines=LINES)
OWN = Debtor("Écluse", "FR7630006000010000000020231")


def test_a_call_reads_on_a_telephone_and_aloud() -> None:
    notice = Notice(CALL, date(2026, 11, 23), date(2026, 11, 24), "Mutuelle des Rives", OWN, None)
    page = html.document_fromstring(call_html(notice).decode())
    assert page.xpath("//meta[@name='viewport']/@content") == ["width=device-width, initial-scale=1"]
    assert [each.get("scope") for each in page.iter("th")] == ["col"] * 3 + ["row"] * 3
    assert page.xpath("//tbody/tr[last()]//text()")[0] == "Montant de l’appel"
    (style,) = page.xpath("//style/text()")
    assert "table{border-collapse:collapse" in style
    assert "\nth:first-child{text-align:left}" in style
