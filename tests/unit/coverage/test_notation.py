"""The notation of guarantees: what is read, what is refused, and where."""

from __future__ import annotations

import pytest

from ecluse.coverage.guarantee import NONE
from ecluse.coverage.notation import LENGTH_MAX, PARTS_MAX, parse, write
from ecluse.kernel.errors import Refused


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("TM:100", "TM:100"),
        ("BR_INCL:150", "BR_INCL:150"),
        ("BR_EXCL:12.50", "BR_EXCL:12.5"),
        ("FR:080", "FR:80"),
        ("EUR:200", "EUR:200"),
        ("EUR:0.05", "EUR:0.05"),
        ("EUR_ACT:30/5Y", "EUR_ACT:30/5Y"),
        ("EUR_YEAR:250.10", "EUR_YEAR:250.1"),
        ("BASKET:100S", "BASKET:100S"),
        ("BR_INCL:400 + EUR:200", "BR_INCL:400+EUR:200"),
        ("EUR:10+EUR:20", "EUR:10+EUR:20"),
        (" NONE ", "NONE"),
        (
            "TM:100 + REST:85 [EUR:1900/Y]<= EUR_INCL:1700 <=ACTS:1/48M",
            "TM:100+REST:85[EUR:1900/Y]<=EUR_INCL:1700<=ACTS:1/48M",
        ),
        ("FR:100[BR_INCL:200.0]", "FR:100[BR_INCL:200]"),
        ("EUR:50[ACTS:30/Y][EUR:900/Y]", "EUR:50[ACTS:30/Y][EUR:900/Y]"),
    ],
)
def test_reads_and_writes_the_shortest_form(text: str, written: str) -> None:
    assert write(parse(text)) == written


def test_none_has_no_part() -> None:
    assert parse("NONE") is NONE


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("BR:100", 1),
        ("br_incl:100", 1),
        ("TM", 3),
        ("TM:", 4),
        ("TM:100%", 4),
        ("TM:-1", 4),
        ("TM:1e2", 4),
        ("TM:12,5", 4),
        ("TM:١٠٠", 4),
        ("TM:100.555", 4),
        ("EUR:1000000", 5),
        ("EUR_ACT:30", 9),
        ("EUR_ACT:30/0Y", 9),
        ("EUR_ACT:30/5M", 9),
        ("BASKET:50S", 8),
        ("TM:100+", 8),
        ("TM:100+EUR:x", 12),
        ("TM:100 + EURO:5", 10),
        ("TM:100+NONE", 8),
        ("TM:100\nEUR:5", 4),
        ("TM:100[", 1),
        ("TM:100[]", 8),
        ("TM:100[EUR:5/3Y]", 12),
        ("TM:100[ACTS:1/121M]", 8),
        ("TM:100[EUR:5]x", 1),
        ("TM:100<=", 9),
        ("TM:100<=ACTS:5", 14),
        ("TM:100<=EUR:5<= TM:3", 17),
        ("<=EUR:5", 1),
    ],
)
def test_refuses_with_the_position(text: str, position: int) -> None:
    with pytest.raises(Refused, match="guarantee_invalid") as refused:
        parse(text)
    assert f"at character {position}:" in refused.value.detail
    assert refused.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "EUR_ACT:30/5Y+EUR_ACT:20/2Y",
        "EUR_YEAR:100+EUR_YEAR:50",
        "EUR_YEAR:100<=EUR:300/Y",
        "FR:100[ACTS:1/24M]+EUR:10[ACTS:2/24M]",
        "FR:100<=ACTS:1/12M<=ACTS:2/24M",
        "FR:100" + "[EUR:1]" * 5,
        "+".join(["EUR:1"] * (PARTS_MAX + 1)),
        "EUR:" + "1" * LENGTH_MAX,
    ],
)
def test_refuses_what_has_no_single_meaning_or_no_end(text: str) -> None:
    with pytest.raises(Refused, match="guarantee_invalid"):
        parse(text)
