"""Decoys look like the rows they stand among, are nobody, and are met by mistake less often than their signal says."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecluse
from ecluse.gate.decoys import CHANCE_MAX, Batch, Known, Row, chance, crowded, drawn, made_up
from ecluse.gate.signals import ALPHA, CAREER_QUESTIONS, DECOY_E_VALUE, SIGNALS, Name, Step, thresholds
from ecluse.kernel.ids import nir, nir_key

AMC, OTHER = "0075123456", "0075999999"


def batch(name: str, *keys: tuple[int, ...], insurer: str = AMC, met: float = 1e-15, **given: object) -> Batch:
    return Batch(name, f"copy {name}", insurer, keys, (), met, "a. martin", "test", 1)


@given(st.integers(0, 10**6))
def test_a_drawn_row_is_nobody_s_and_every_part_of_it_is_somebody_s(seed: int) -> None:
    draw = Random(seed).randrange
    like, taken = made_up(draw, 30), []
    for _ in range(5):
        row = drawn(draw, like, taken)
        assert row
        assert nir(row.nir) == row.nir
        taken.append(row)
    assert len({each.nir for each in (*like, *taken)}) == len({each.member_number for each in (*like, *taken)}) == 35
    for row in taken:
        assert row.birth_date[:7] in {each.birth_date[:7] for each in like}
        assert row.birth_date[5:] in {each.birth_date[5:] for each in like}
        assert (row.nir[1:3], row.nir[3:5]) == (row.birth_date[2:4], row.birth_date[5:7])
        assert row.nir[5:13] in {each.nir[5:13] for each in like}
        assert len(row.member_number) == 10


def test_no_order_is_beyond_the_births_of_its_place() -> None:
    """A village where two are born in a month, a town of four hundred: no decoy is told by its order."""
    draw, births = Random(5).randrange, {"37001": 2, "37261": 400}
    like = []
    for number in range(200):
        place = ("37001", "37261")[number % 2]
        body = f"2{50 + draw(50)}{1 + draw(12):02}{place}{1 + draw(births[place]):03}"
        like.append(Row(f"{number:010}", body + nir_key(body), f"19{body[1:3]}-{body[3:5]}-14", 1))
    taken: list[Row] = []
    for _ in range(100):
        row = drawn(draw, like, taken)
        assert row
        assert int(row.nir[10:13]) <= births[row.nir[5:10]]
        taken.append(row)


def test_a_decoy_has_no_twin_among_the_rows_more_often_than_people_have() -> None:
    """Who leaves out of a copy whoever shares sex and birth date with another row must not leave out its decoys by that."""
    draw = Random(7).randrange
    like = made_up(draw, 500)
    born = {(each.nir[0], each.birth_date) for each in like}
    rows = [drawn(draw, like, ()) for _ in range(200)]
    assert sum((each.nir[0], each.birth_date) in born for each in rows if each) <= 20


def test_the_29th_of_february_is_of_its_years_alone() -> None:
    """A decoy of 1979-02-29 is no person's, as anybody sees."""
    like = [Row(f"M{n:03}", "", f"{1976 + n}-02-{29 if n % 4 == 0 else 28}", 1) for n in range(8)]
    days = {row.birth_date for seed in range(300) if (row := drawn(Random(seed).randrange, like, ()))}
    assert {"1976-02-29", "1979-02-28"} <= days
    assert not {day for day in days if day.endswith("29") and int(day[:4]) % 4}


def test_letters_and_signs_of_a_number_stay_where_they_are() -> None:
    like = [Row(f"AB-{number:06}/Z", "", "1979-06-14", 2) for number in range(50)]
    row = drawn(Random(1).randrange, like, ())
    assert row
    assert (row.member_number[:3], row.member_number[-2:], row.nir, row.birth_rank) == ("AB-", "/Z", "", 2)


def test_from_too_few_rows_nothing_is_drawn() -> None:
    assert drawn(Random(1).randrange, [Row("M1", "279067505612357", "1979-06-14", 1)], ()) is None


def test_made_up_rows_are_good_numbers() -> None:
    for row in made_up(Random(3).randrange, 500):
        assert nir(row.nir) == row.nir


def test_the_shorter_the_number_the_sooner_there_are_too_many() -> None:
    longer, shorter = Row("0123456789", "279067505612357", "1979-06-14", 1), Row("12345678", "", "1979-06-14", 1)
    assert chance(longer) < chance(shorter) < CHANCE_MAX
    assert not crowded([], AMC, 300 * chance(longer))
    assert crowded([], AMC, 40 * chance(shorter))
    planted = [batch("dcy_1", met=CHANCE_MAX * 0.7)]
    assert crowded(planted, AMC, CHANCE_MAX * 0.4)
    assert not crowded(planted, OTHER, CHANCE_MAX * 0.4)


def test_one_touch_is_a_quarantine_and_a_career_of_honest_mistakes_is_below_alpha() -> None:
    assert CAREER_QUESTIONS * CHANCE_MAX <= ALPHA
    assert thresholds(SIGNALS[Name.DECOYS])[-1] == (pytest.approx(1 / ALPHA), Step.QUARANTINED)
    assert 1 / ALPHA <= DECOY_E_VALUE


def test_a_touch_says_which_of_which_batch() -> None:
    accounts = Batch("dcy_3", "vault", "", (), ("rpps:1", "rpps:2"), 0.0, "a", "b", 1)
    known = Known([batch("dcy_1", (1, 2), (3,)), batch("dcy_2", (4,)), accounts])
    found = known.person(AMC, 3)
    assert found == ("dcy_1", 2, "copy dcy_1")
    assert known.person(AMC, 2) == ("dcy_1", 1, "copy dcy_1")
    assert known.person(OTHER, 3) is None
    assert known.account("rpps:2") == ("dcy_3", 2, "vault")
    assert known.account("rpps:3") is None


KNOWS = re.compile(r"from ecluse[\w.]*\.decoy(s|_rows) import")
PLANTS_OR_WATCHES = {
    "app/alerted.py",
    "app/carrying.py",
    "app/decoys.py",
    "app/watching.py",
    "doors/cli/decoys.py",
    "engines/sqlite/decoys.py",
    "formats/decoy_rows.py",
}
OPENS = {"app/hub.py", "wiring/gate.py"}


def test_nobody_who_answers_knows_of_a_decoy() -> None:
    """So nothing of an answer can depend on one: not its bytes, not its time."""
    source = Path(ecluse.__file__).parent
    know = {str(file.relative_to(source)) for file in source.rglob("*.py") if KNOWS.search(file.read_text())}
    assert know == PLANTS_OR_WATCHES | OPENS
