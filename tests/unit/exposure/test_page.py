"""The page and its charts: self-contained, readable without seeing, true to the numbers; the map has every département once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from lxml import html

from ecluse.doors.exposures.charts import SHADES, columns, compact, shade_of, tiles
from ecluse.doors.exposures.france import COLUMNS, ROWS, TILES
from ecluse.doors.exposures.page import page
from ecluse.doors.exposures.words import FIELDS, THIN
from ecluse.exposure.answer import ListWritten
from ecluse.exposure.gaps import Loss
from ecluse.exposure.places import MAINLAND, OVERSEAS
from ecluse.exposure.shown import Shown
from ecluse.journal.entry import Field
from tests.unit.exposure.test_answer import INSURERS, counted

SHOWN = [Shown(INSURERS[n % 2], n.to_bytes(16, "big"), 63, 100, 199, 1, 1, billed=n % 3 == 0) for n in range(1234)]
LISTS = (ListWritten(INSURERS[0], 617, 2, "age1x", {"a.csv.age": "ab" * 32}), ListWritten(INSURERS[1], 617, 0, "", {}))


def read(**changes: Any) -> Any:
    exposure = msgspec.structs.replace(counted(SHOWN, held={INSURERS[0]: 45_000}), lists=LISTS)
    return html.document_fromstring(page(msgspec.structs.replace(exposure, **changes)))


def test_the_page_loads_nothing_and_every_chart_is_said_in_words() -> None:
    document = read()
    text = html.tostring(document, encoding="unicode")
    assert not any(each in text for each in ("http:", "https:", "<script", "<link", "url("))
    assert document.get("lang") == "fr"
    charts = [*document.iter("svg")]
    assert len(charts) == 6
    for chart in charts:
        assert [each.tag for each in chart][:2] == ["title", "desc"]
        assert chart.get("aria-labelledby").split() == [each.get("id") for each in chart][:2]
    ids = [each.get("id") for each in document.iter() if each.get("id")]
    assert len(set(ids)) == len(ids)


def test_the_three_counts_stand_first_and_exact() -> None:
    three = [each.text_content() for each in read().xpath("//ul[@class='three']//strong")]
    assert three == [f"45{THIN}000", f"45{THIN}000", f"1{THIN}234"]


def test_a_gap_is_said_before_any_detail() -> None:
    exposure = counted(SHOWN, (Loss("2026-11-w0", 6, 0, 150),))
    document = html.document_fromstring(page(exposure))
    assert document.xpath("//ul[@class='three']//strong")[2].text_content() == f"1{THIN}234 à 1{THIN}240"
    (note,) = document.xpath("//div[@role='note']")
    assert "6 entrées perdues" in note.text_content()


def test_an_account_the_hub_never_met_is_said_before_any_detail() -> None:
    (note,) = read(never_met=("rpps:10000000099",)).xpath("//div[@role='note']")
    assert "n’a jamais vu rpps:10000000099" in note.text_content()


def test_an_insurer_without_a_key_is_said_to_have_no_list() -> None:
    text = read().text_content()
    assert "pas écrite : cet assureur n’a pas donné de clé publique" in text
    assert "ab" * 32 in text


def test_one_line_is_one_line() -> None:
    titles = html.document_fromstring(page(counted(SHOWN[:1]))).xpath("//summary/text()")
    assert "La ligne de ce graphique" in titles
    assert not any("Les 1 " in each for each in titles)


def test_what_came_from_outside_is_escaped() -> None:
    text = page(msgspec.structs.replace(counted(SHOWN), accounts=("<b>x",), sessions=("<i>y",)))
    assert "<b>x" not in text
    assert "<i>y" not in text


def test_nobody_displayed_is_a_page_too() -> None:
    exposure = msgspec.structs.replace(counted([]), insurers=())
    assert "Personne." in page(exposure)


def test_every_field_of_the_journal_has_its_french_words() -> None:
    assert FIELDS.keys() == {str(each.name).lower() for each in Field}


def test_the_map_has_every_departement_once_each_in_a_place_of_its_own() -> None:
    assert TILES.keys() == MAINLAND | set(OVERSEAS.values())
    assert len(set(TILES.values())) == len(TILES) == 101
    assert all(column < COLUMNS and row < ROWS for column, row in TILES.values())
    west, east, north, south = TILES["29"], TILES["67"], TILES["59"], TILES["66"]
    assert west[0] < east[0]
    assert north[1] < south[1]


@pytest.mark.parametrize(("people", "high", "shade"), [(0, 9, 0), (1, 1000, 1), (1000, 1000, SHADES), (500, 1000, 3)])
def test_shades_go_from_nobody_to_the_most(people: int, high: int, shade: int) -> None:
    assert shade_of(people, high) == shade


def test_days_without_anybody_have_their_place() -> None:
    drawn = columns("k", "t", {"2026-10-24": 2, "2026-10-26": 1})
    assert drawn.count('class="bar"') == 2
    assert "3 jours, au plus 2 personnes" in drawn


def test_numbers_fit_in_tiles() -> None:
    assert compact(12_345) == f"12{THIN}k"
    assert "9" + THIN + "999" in tiles("k", "t", {"37": 9_999})
