"""The world: the same bytes from the same seed, and identifiers that stand the tests of others."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.fr import nir, siret

from sim import exchange, feeds, identifiers, workload, world
from sim.exchange import Visit
from sim.world import World

DAY = date(2026, 11, 24)


def everything(seed: int, people: int) -> bytes:
    made = world.build(seed, people, DAY)
    files = [feeds.feed(made, insurer.number) for insurer in made.insurers]
    tables = [feeds.product_yaml(product) for insurer in made.insurers for product in insurer.products]
    plan = exchange.as_bytes(workload.day_of_care(made, DAY))
    return b"".join([*files, *tables, feeds.practices_csv(made), feeds.insurers_csv(made), plan])


def test_one_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    assert everything(3, 400) == everything(3, 400)
    assert everything(3, 400) != everything(4, 400)


def test_every_nir_is_valid_for_others(small: World) -> None:
    assert [person.nir for person in small.people if not nir.is_valid(person.nir)] == []


def test_kinds_of_people_a_hub_must_know_are_there() -> None:
    people = world.build(1, 20_000, DAY).people
    assert any(person.nir[5:7] in {"2A", "2B"} for person in people)
    assert any(person.nir[5:7] == "99" for person in people)
    assert any(person.nir[0] in "78" for person in people)
    assert any(int(person.birth_date[5:7]) > 12 for person in people)
    assert any(person.birth_rank == 2 for person in people)
    assert any(person.dependant for person in people)


def test_nobody_is_taken_for_another(small: World) -> None:
    assert len({(each.nir, each.birth_date, each.birth_rank) for each in small.people}) == len(small.people)
    members = {
        (row.insurer, row.member_number, small.people[row.person].birth_date, small.people[row.person].birth_rank)
        for row in small.contracts
    }
    assert len(members) == len({row.person for row in small.contracts})


def test_identifiers_of_professionals_and_banks_are_valid_for_others(small: World) -> None:
    for who in small.professionals:
        assert luhn.is_valid(who.account.removeprefix("rpps:"))
        assert siret.is_valid(who.practice.number) or (
            len(who.practice.number) == 9 and luhn.is_valid(who.practice.number)
        )
        assert iban.is_valid(who.practice.iban)
    assert all(iban.is_valid(insurer.iban) for insurer in small.insurers)


def test_no_name_of_anyone_is_in_a_feed(small: World) -> None:
    files = b"".join(feeds.feed(small, insurer.number) for insurer in small.insurers).decode().lower()
    assert [person.last_name for person in small.people if person.last_name.lower() in files] == []


def test_rows_of_rights_are_periods_that_do_not_overlap(small: World) -> None:
    for person in small.people:
        rows = sorted(small.rights(person), key=lambda row: (row.contract, row.valid_from))
        for before, after in pairwise(rows):
            assert before.valid_to is None or before.valid_to >= before.valid_from
            if before.contract == after.contract:
                assert before.valid_to is not None
                assert before.valid_to < after.valid_from


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2027, 3, 15), date(2028, 2, 29), date(2026, 12, 31)])
def test_a_world_stands_on_any_day(day: date) -> None:
    made = world.build(2, 600, day)
    test_rows_of_rights_are_periods_that_do_not_overlap(made)
    assert all(row.valid_from <= (row.valid_to or row.valid_from) for row in made.contracts)
    assert workload.day_of_care(made, day)
    assert workload.day_of_care(made, day - timedelta(days=1))


def test_every_scenario_is_played(visits: list[Visit]) -> None:
    from sim.scenarios import SCENARIOS

    assert {name for name, _, _ in SCENARIOS} - {visit.scenario for visit in visits} == set()


def test_visits_are_in_order_of_time_and_a_person_comes_once(visits: list[Visit]) -> None:
    assert [visit.at_s for visit in visits] == sorted(visit.at_s for visit in visits)
    people = [{each.must.person for each in visit.exchanges if each.must.person >= 0} for visit in visits]
    seen = [person for some in people for person in some]
    assert len(seen) == len(set(seen))


@given(st.integers(min_value=10**9, max_value=10**10 - 1))
def test_luhn_is_that_of_others(number: int) -> None:
    assert luhn.is_valid(identifiers.luhn(str(number)))


@given(st.sampled_from(["2A", "2B", "75", "97", "99"]), st.integers(1, 999), st.integers(0, 99), st.integers(1, 12))
def test_the_key_of_a_nir_is_that_of_others(department: str, order: int, year: int, month: int) -> None:
    assert nir.is_valid(identifiers.nir(1, year, month, f"{department}001", order))
