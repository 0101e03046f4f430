"""The press: text is never markup, a letter can be heard, the same one has the same bytes; a sign without a glyph is refused."""

from __future__ import annotations

from datetime import date

import pytest

from ecluse.breach.letters.compose import PLACES, Block, Sheet
from ecluse.engines.typesetting import Typst
from ecluse.kernel.errors import Refused

BLOCKS = (
    Block("p", (PLACES["greeting"],)),
    Block("h", ("Ce qui a été vu :",)),
    Block("ul", ("un", "deux")),
    Block("code", ("Code",)),
)


@pytest.fixture(scope="module")
def press() -> Typst:
    return Typst()


def printed(press: Typst, name: str) -> bytes:
    return press.pdf(Sheet("Titre", ("Mutuelle",), (name,), date(2026, 11, 29)), BLOCKS, {"greeting": name})


@pytest.mark.parametrize(
    "name", ['#read("/etc/passwd") \\ "x" $a$ *b* <i>', "Łukasz Đặng Ñandú", "Иван", "a" * 200, "]#panic()["]
)
def test_any_name_is_text(press: Typst, name: str) -> None:
    assert printed(press, name).startswith(b"%PDF-1.7")


def test_it_can_be_heard_and_is_the_same_twice(press: Typst) -> None:
    pdf = printed(press, "Jeanne Martin")
    assert all(mark in pdf for mark in (b"/MarkInfo", b"/Lang", b"pdfuaid"))
    assert pdf == printed(Typst(), "Jeanne Martin")


@pytest.mark.parametrize("name", ["王小明", "🎉"])
def test_a_sign_that_no_font_has_is_refused_and_not_quoted(press: Typst, name: str) -> None:
    with pytest.raises(Refused, match="letter_not_printed") as refused:
        printed(press, name)
    assert name not in str(refused.value)
