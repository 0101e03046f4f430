"""What each trade bills: acts, bases and rates of the AMO, and what it charges.

Bases and rates: docs/simulator.md (tariffs of 2024 to 2026, with their sources); without a source, `# assumed`.
A line is billed for the whole of its quantity: expense and base are totals.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sim.professionals import Professional
from sim.seeds import chance, weighted

FULL_RATE = 120  # per mille of people with a long illness, for whom the AMO pays 100 % of the base; assumed
LOCAL_SCHEME = 12  # per mille under the local scheme of Alsace-Moselle (docs/simulator.md); assumed here
STATED = 300  # per mille of visits whose software states scheme, exemption, pathway and age; assumed
KEPT_STATED = 300  # per mille of adults' visits that state what the AMO keeps back of the first line; assumed
ADULT = 18  # from this age something is kept back
OUTSIDE = 60  # per mille of adults' visits to doctors outside the care pathway; assumed
OUTSIDE_LESS = 40  # points that the AMO's rate loses there (docs/simulator.md)
OF_DOCTORS = ("general_practitioner", "specialist", "radiologist")
SIDE_SAID = 900  # per mille of hearing aids whose ear is stated; assumed
SOME_RATE_AS_FRACTION = 50  # per mille of lines that write "7/10" for "70%": both are in the contract


@dataclass(frozen=True, slots=True)
class Act:
    """An act or an article: base and usual charge of one, in cents, AMO rate in percent, and how often it is billed.

    `local` is the rate under the local scheme; `kept`, what the AMO keeps back for one, in cents; `basket`, that of the
    reform 100 % Santé, if the software states one.
    """

    code: str
    base_cents: int
    charge_cents: int
    rate: int
    weight: int
    quantity_max: int = 1
    from_age: int = 0
    to_age: int = 130
    local: int = 90
    kept: int = 0
    basket: str = ""


ACTS: dict[str, tuple[Act, ...]] = {
    "general_practitioner": (
        Act("G", 3000, 3000, 70, 85, kept=200),
        Act("APC", 6000, 6000, 70, 5, kept=200),
        Act("TC", 2500, 2500, 70, 10, kept=200),
    ),
    "specialist": (
        Act("CS", 3150, 3150, 70, 70, kept=200),
        Act("APC", 6000, 6000, 70, 15, kept=200),
        Act("CNP", 5700, 5700, 70, 15, kept=200),
    ),
    "pharmacy": (
        Act("PH7", 795, 795, 65, 50, 3, kept=100),
        Act("PH7", 2466, 2466, 65, 20, 2, kept=100),
        Act("PH4", 417, 417, 30, 15, 2, local=80, kept=100),
        Act("PH2", 689, 689, 15, 8, 2, local=15, kept=100),
        Act("PH1", 11250, 11250, 100, 4, local=100, kept=100),
        Act("HD", 102, 102, 70, 20),
    ),
    "laboratory": (
        Act("B", 1755, 1755, 60, 60, kept=200),
        Act("B", 4320, 4320, 60, 30, kept=200),
        Act("BHN", 0, 2700, 0, 10),
    ),  # assumed
    "dentist": (
        Act("C", 2300, 2300, 60, 35),
        Act("SDE", 4338, 4338, 60, 30),
        Act("SDE", 2930, 2930, 60, 20),
        Act("PFC", 12000, 54000, 60, 12, 3),
        Act("PFC", 12000, 50000, 60, 5, basket="100S"),
        Act("PFC", 12000, 55000, 60, 3, basket="controlled"),
    ),
    "optician": (  # bases and prices: assumed
        Act("MON", 5, 11900, 60, 35, basket="free"),
        Act("VER", 5, 14900, 60, 30, 2, basket="free"),
        Act("VER", 5, 34900, 60, 15, 2, basket="free"),
        Act("MON", 900, 3000, 60, 10, basket="100S"),
        Act("VER", 1125, 3250, 60, 10, 2, basket="100S"),
    ),
    "audio": (
        Act("AUD1", 40000, 95000, 60, 50, from_age=20, basket="100S"),
        Act("AUD2", 40000, 168000, 60, 30, from_age=20, basket="free"),
        Act("AUD2", 40000, 240000, 60, 20, from_age=20, basket="free"),  # assumed
    ),
    "radiologist": (Act("ADI", 4788, 4788, 70, 60, kept=200), Act("ADE", 5298, 6500, 70, 40, kept=200)),  # assumed
    "nurse": (Act("AMI", 315, 315, 60, 70, 4, kept=100), Act("AIS", 1060, 1060, 60, 30, 2, kept=100)),  # assumed
    "physiotherapist": (Act("AMK", 1613, 1613, 60, 80, 2, kept=100), Act("AMS", 1613, 2200, 60, 20, kept=100)),
    "osteopath": (Act("OST", 0, 6000, 0, 75, 3), Act("PSY", 5000, 5000, 60, 25)),
}
LINES = ((1, 70), (2, 22), (3, 8))  # lines of an invoice; assumed
EQUIPMENT = (("a", 40), ("b", 10), ("c", 30), ("d", 5), ("e", 5), ("f", 10))  # lenses of a visit; assumed
SEVERAL = ("pharmacy", "laboratory", "dentist", "optician", "audio", "nurse")


def lines(draw: random.Random, who: Professional, age: int, day: str) -> list[dict[str, Any]]:
    """The lines of one visit of a person of `age`, as they are sent; amounts in cents."""
    known = [act for act in ACTS[who.trade.profession] if act.from_age <= age <= act.to_age]
    acts = known or list(ACTS[who.trade.profession])
    count = weighted(draw, LINES) if who.trade.profession in SEVERAL else 1
    special = weighted(draw, (("", 1000 - FULL_RATE - LOCAL_SCHEME), ("full", FULL_RATE), ("local", LOCAL_SCHEME)))
    if not special and age >= ADULT and who.trade.profession in OF_DOCTORS and chance(draw, OUTSIDE):
        special = "outside"
    choices = [(act, act.weight) for act in acts]
    facts = stated(special, age) if special == "outside" or chance(draw, STATED) else {}
    facts |= of_trade(draw, who)
    chosen = [weighted(draw, choices) for _ in range(count)]
    found = [line(draw, who, act, day, number, special) | facts for number, act in enumerate(chosen, start=1)]
    if chosen[0].kept and age >= ADULT and chance(draw, KEPT_STATED):
        found[0]["participation_cents"] = chosen[0].kept * found[0]["quantity"]
    return found


def of_trade(draw: random.Random, who: Professional) -> dict[str, Any]:
    """What the software of this trade states on every line of a visit."""
    agreements = {"optam": who.optam, "network": who.network}
    facts: dict[str, Any] = {name: value for name, value in agreements.items() if value is not None}
    if who.trade.profession == "optician":
        facts["equipment"] = weighted(draw, EQUIPMENT)
    return facts


def stated(special: str, age: int) -> dict[str, Any]:
    """What a software states that states all it knows."""
    return {
        "scheme": "alsace_moselle" if special == "local" else "general",
        "exemption": "ald" if special == "full" else "none",
        "pathway": "outside" if special == "outside" else "inside",
        "age_years": age,
    }


def line(draw: random.Random, who: Professional, act: Act, day: str, number: int, special: str) -> dict[str, Any]:
    """One line; `special` is "full" or "local" where the AMO pays more than the usual rate, "outside" where it pays less."""
    quantity = draw.randrange(1, act.quantity_max + 1)
    expense = act.charge_cents * quantity
    if act.base_cents and chance(draw, who.excess_per_mille):
        expense += quantity * draw.choice((500, 850, 1250, 2000, 3333))
    rate = act.rate
    if rate and special:
        rate = {"full": 100, "local": act.local, "outside": rate - OUTSIDE_LESS}[special]
    sent: dict[str, Any] = {
        "line": number,
        "act": act.code,
        "date": day,
        "quantity": quantity,
        "expense_cents": expense,
        "base_cents": act.base_cents * quantity,
        "amo_rate": f"{rate // 10}/10" if rate % 10 == 0 and chance(draw, SOME_RATE_AS_FRACTION) else f"{rate}%",
    }
    if act.basket:
        sent["basket"] = act.basket
    if who.trade.domain == "AUDI" and chance(draw, SIDE_SAID):
        sent["side"] = draw.choice(("left", "right"))
    return sent
