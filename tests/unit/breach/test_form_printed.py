"""CNIL's form as people read it: a page and a PDF, in its order, with what is left to a person marked."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.incident.cnil import Filled, Form, Section
from ecluse.breach.incident.lines import lines
from ecluse.doors.incidents.page import page
from ecluse.wiring.letters import printed_form
from tests.laws import examples

DAY = date(2026, 11, 30)
PRINTED = printed_form()


def field(id_: str, value: object, status: str = "filled", choices: tuple[str, ...] = ()) -> Filled:
    return Filled(id_, "Un libellé", "filled" if status == "filled" else "to_fill", value, choices, False)


def form(*fields: Filled, insurer: str = "0075123456") -> Form:
    left = tuple(each.id for each in fields if each.status == "to_fill")
    return Form("inc_1", 3, insurer, (Section("Organisme", fields),), left, ())


READ = {
    "an instant is of Paris": (field("began", "2026-11-30T06:33:52+01:00"), ["30/11/2026 à 06:33 (heure de Paris)"]),
    "a number has its thousands": (field("persons", 1800), ["1\N{NARROW NO-BREAK SPACE}800"]),
    "words are as they are": (field("persons", "de 3 à 5"), ["de 3 à 5"]),
    "a list is a line each": (field("nature", ["a", "b"]), ["a", "b"]),
    "what is known of who was told, in French": (
        field("informed_details", {"state": "yes", "at": "2026-12-01T09:00:00Z", "persons": 3, "means": None}),
        ["Date : 01/12/2026 à 10:00 (heure de Paris)", "Nombre de personnes : 3"],
    ),
    "nothing has no line": (field("size", None, "to_fill"), []),
}


@pytest.mark.parametrize("case", READ.values(), ids=list(READ))
def test_a_field_is_read_in_french(case: tuple[Filled, list[str]]) -> None:
    assert lines(case[0]) == case[1]


def test_the_same_form_is_the_same_bytes_and_another_is_not() -> None:
    one = form(
        field("size", None, "to_fill"), field("nature", ["a", "b"]), field("ongoing", None, "to_fill", ("Oui", "Non"))
    )
    other = msgspec.structs.replace(one, version=4)
    pdf = PRINTED(one, DAY)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in pdf
    assert PRINTED(other, DAY) != pdf
    assert printed_form()(one, DAY) == pdf
    assert page(one).decode().count("À REMPLIR") == 3


@examples(25)
@given(st.text(max_size=40))
def test_whatever_was_written_is_printed(text: str) -> None:
    assert PRINTED(form(field("description", text or "x"), insurer=text), DAY).startswith(b"%PDF")


@pytest.mark.parametrize("text", ["日本語", "🙂", "\x07", "#set page(fill: red) *gras* $x$ \\ <b>"])
def test_what_the_fonts_lack_and_what_looks_like_markup_stops_no_pack(text: str) -> None:
    assert PRINTED(form(field("description", text)), DAY).startswith(b"%PDF")


def test_a_field_of_many_pages_goes_on() -> None:
    many = field("measures_taken", ["Une mesure. " * 300] * 20)
    assert len(PRINTED(form(many), DAY)) > len(PRINTED(form(field("measures_taken", ["Une mesure."])), DAY))
