"""Tables that call themselves responsible: each obligation of the law kept to the last cent, and broken by the next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ecluse.app.products import check_product
from ecluse.coverage.product import read_product
from ecluse.coverage.responsible import OBLIGATIONS, Trial, breaches
from ecluse.rules.book import open_book

CHILD = "when: {age_to: 15}, count: lunettes"
BOOK, DAY = open_book(), date(2026, 11, 25)
FILES = sorted((Path(__file__).parents[2] / "cases" / "products").glob("*.yaml"))
MED, FJ = (
    '{domains: [MED], guarantee: "TM:100", label: TM}',
    '{domains: [HOSP], acts: [FJ], guarantee: "FR:100", label: FJ}',
)
AID = '{domains: [AUDI], guarantee: "FR:100<=EUR_INCL:1700<=ACTS:1/48M", each_side: true, label: Aide}'
AID_OF_AN_EAR_UNKNOWN = '{domains: [AUDI], guarantee: "TM:100", label: Oreille}'


def basket(domain: str) -> str:
    return f'{{domains: [{domain}], when: {{basket: "100S"}}, guarantee: "BASKET:100S", label: Panier}}'


def ticket(domain: str) -> str:
    return f'{{domains: [{domain}], guarantee: "TM:100", label: TM}}'


def table(*rows: str, responsible: bool = True) -> bytes:
    listed = ", ".join(rows)
    return f"{{product: P, label: P, responsible: {str(responsible).lower()}, guarantees: [{listed}]}}".encode()


def glasses(letter: str, lens: str, frame: str = "FR:100<=EUR_INCL:100<=EUR_INCL:420/24M") -> tuple[str, ...]:
    kept = f"when: {{equipment: [{letter}]}}, count: lunettes"
    return (
        basket("OPTI"),
        f'{{domains: [OPTI], acts: [MON], guarantee: "{frame}", {kept}, label: Monture}}',
        f'{{domains: [OPTI], acts: [VER], guarantee: "{lens}", {kept}, label: Verres}}',
        '{domains: [OPTI], guarantee: "TM:100", label: Reste}',
    )


def doctor(without: str, with_optam: str = "") -> tuple[str, ...]:
    first = f'{{domains: [MED], when: {{optam: true}}, guarantee: "{with_optam}", label: OPTAM}}'
    return (*([first] if with_optam else []), f'{{domains: [MED], guarantee: "{without}", label: Hors OPTAM}}')


KEPT = {
    "the ticket modérateur alone": (ticket("MED"),),
    "percents that hold it": doctor("BR_INCL:100"),
    "euros beside it": ('{domains: [AUXM], guarantee: "TM:100+EUR_YEAR:300", label: A}',),
    "an act the AMO does not pay, by the year": (
        '{domains: [AUXM], acts: [OST], guarantee: "EUR_ACT:30/5Y", label: O}',
        ticket("AUXM"),
    ),
    "drugs of low service left out": (
        '{domains: [PHAR], acts: [PH2, PH4], guarantee: "NONE", label: Faible}',
        ticket("PHAR"),
    ),
    "a stay without end": (FJ, ticket("HOSP")),
    "200 % with OPTAM, 180 % without": doctor("BR_INCL:180", "BR_INCL:200"),
    "all that the law lets": doctor("BR_INCL:200", "FR:100"),
    "a real price within the ceiling": doctor("FR:100<=BR_INCL:200", "FR:100<=BR_INCL:220"),
    "simple glasses at their ceiling": glasses("a", "FR:100<=EUR_INCL:420/24M"),
    "a child's glasses every year": (
        basket("OPTI"),
        f'{{domains: [OPTI], acts: [MON], {CHILD}, guarantee: "FR:100<=EUR_INCL:99<=EUR_INCL:200/12M", label: E}}',
        f'{{domains: [OPTI], acts: [VER], {CHILD}, guarantee: "FR:100<=EUR_INCL:200/12M", label: E}}',
        ticket("OPTI"),
    ),
    "aids at their ceiling": (basket("AUDI"), AID, AID_OF_AN_EAR_UNKNOWN),
    "a network that pays more, within": (
        basket("DENT"),
        '{domains: [DENT], when: {network: true}, guarantee: "BR_INCL:400", label: R}',
        ticket("DENT"),
    ),
}

# name → rows, the place of the row to blame (None: one is missing), words of what is wrong, words of the text
BROKEN = {
    "nothing for a domain it speaks of": (
        ('{domains: [MED], guarantee: "NONE", label: R}',),
        0,
        "ticket modérateur of 40,00",
        "R871-2",
    ),
    "nothing once acts are used up": (
        ('{domains: [AUXM], guarantee: "TM:100<=ACTS:20/Y", label: R}',),
        0,
        "pays 0,00",
        "R871-2",
    ),
    "nothing once euros are used up": (
        ('{domains: [LABO], guarantee: "EUR_YEAR:100", label: R}',),
        0,
        "pays 0,00",
        "R871-2",
    ),
    "nothing for those without OPTAM": (
        ('{domains: [MED], when: {optam: true}, guarantee: "BR_INCL:200", label: R}',),
        None,
        "pays 0,00",
        "R871-2",
    ),
    "less for the old": (
        ('{domains: [MED], when: {age_from: 70}, guarantee: "TM:50", label: R}', ticket("MED")),
        0,
        "age_years 70",
        "R871-2",
    ),
    "no daily charge": ((ticket("HOSP"),), 0, "HOSP FJ", "R871-2"),
    "sixty days of it": (
        ('{domains: [HOSP], acts: [FJ], guarantee: "FR:100<=ACTS:60/Y", label: F}', ticket("HOSP")),
        0,
        "HOSP FJ",
        "R871-2",
    ),
    "101 % of excess without OPTAM": (doctor("BR_INCL:201", "BR_INCL:300"), 1, "101 % of the tariff", "2014-1374"),
    "19 points below OPTAM": (doctor("BR_INCL:181", "BR_INCL:200"), 1, "81 % of the tariff without OPTAM", "2014-1374"),
    "the same with and without OPTAM": (doctor("BR_INCL:150"), 0, "50 % of the tariff without OPTAM", "2014-1374"),
    "real prices": (doctor("FR:100"), 0, "of the tariff in excess", "2014-1374"),
    "glasses a euro above": (glasses("a", "FR:100<=EUR_INCL:421/24M"), 2, "paid 421,00", "2019-21"),
    "glasses every year": (
        glasses("a", "FR:100<=EUR_INCL:420/12M", "FR:100<=EUR_INCL:100<=EUR_INCL:420/12M"),
        2,
        "two pairs within 24",
        "2019-21",
    ),
    "glasses every calendar year": (glasses("a", "EUR_YEAR:300"), 2, "two pairs within 24", "2019-21"),
    "a frame a euro above": (
        glasses("a", "FR:100<=EUR_INCL:420/24M", "FR:100<=EUR_INCL:101<=EUR_INCL:420/24M"),
        1,
        "a frame is paid 101,00",
        "2019-21",
    ),
    "complex lenses below the floor": (
        glasses("f", "FR:100<=EUR_INCL:199/24M", "FR:100<=EUR_INCL:50<=EUR_INCL:199/24M"),
        2,
        "paid 199,00",
        "R. 871-2",
    ),
    "glasses without their letter": (
        (basket("OPTI"), '{domains: [OPTI], guarantee: "TM:100+EUR:300", label: R}'),
        1,
        "two pairs within 24",
        "2019-21",
    ),
    "an aid a euro above": (
        (basket("AUDI"), AID.replace("1700", "1701"), AID_OF_AN_EAR_UNKNOWN),
        1,
        "paid 1 701,00",
        "2019-21",
    ),
    "aids every three years": (
        (basket("AUDI"), AID.replace("48M", "36M"), AID_OF_AN_EAR_UNKNOWN),
        1,
        "within 48 months",
        "2019-21",
    ),
    "a rest on 100 % Santé": ((ticket("DENT"),), 0, "without rest", "L871-1"),
}


@pytest.mark.parametrize("rows", KEPT.values(), ids=KEPT)
def test_a_table_that_keeps_the_law(rows: tuple[str, ...]) -> None:
    assert breaches(read_product(table(*rows)), BOOK, DAY) == ()


@pytest.mark.parametrize(("rows", "row", "what", "text"), BROKEN.values(), ids=BROKEN)
def test_a_table_that_does_not(rows: tuple[str, ...], row: int | None, what: str, text: str) -> None:
    found = breaches(read_product(table(*rows)), BOOK, DAY)
    first = next(each for each in found if each.row == row)
    assert what in first.what.replace("\u202f", " ")
    assert text in first.reference
    assert first.fix
    assert breaches(read_product(table(*rows, responsible=False)), BOOK, DAY) == (), "it claims nothing"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_example_tables_keep_what_they_claim(path: Path) -> None:
    checked = check_product(BOOK, path.read_bytes(), DAY)
    assert checked.breaches == ()


def test_each_obligation_is_broken_by_some_table() -> None:
    broken = set()
    for rows, *_ in BROKEN.values():
        for name, obligation in OBLIGATIONS.items():
            from_table = Trial(read_product(table(*rows)), BOOK, DAY)
            if any(obligation(from_table)):
                broken.add(name)
    assert broken == set(OBLIGATIONS)


def test_a_row_that_breaks_the_law_later_is_found_with_its_day() -> None:
    later = table('{domains: [MED], guarantee: "NONE", from: 2027-03-01, label: Plus tard}', ticket("MED"))
    (found,) = check_product(BOOK, later, DAY).breaches
    assert (found.since, found.row, found.label) == (date(2027, 3, 1), 1, "Plus tard")


def test_the_law_of_the_day_decides() -> None:
    """A frame of 150 € was lawful until the end of 2019."""
    of_2018 = read_product(table(*glasses("a", "FR:100<=EUR_INCL:420/24M", "FR:100<=EUR_INCL:150<=EUR_INCL:420/24M")))
    assert not [each for each in breaches(of_2018, BOOK, date(2018, 5, 1)) if "frame" in each.what]
    assert [each for each in breaches(of_2018, BOOK, DAY) if "frame" in each.what]
