"""How many lines of care one core shares out in a second, reasons in French included.

On an envelope: the busiest second sees 1,500 rights checks, each followed by a quote of three lines, so 4,500 lines/s;
the nightly batch takes 2.2 million lines in less than four hours, 155 lines/s. A line is some 60 small steps of the
interpreter at 0.1 µs and seven sentences at 0.7 µs: about 11 µs, or 90,000 lines/s.
Budget: 20,000 lines/s on one core, four times the busiest second: coverage never decides the number of machines.

Beside it, in the same run, a peer: the same rules for the same lines written plainly with `decimal`, with shorter
sentences. It checks no input, knows no year, quantity or basket, and keeps no steps.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from ecluse.coverage.compute import compute
from ecluse.coverage.explain import because
from ecluse.coverage.line import read_line
from ecluse.coverage.notation import parse

BUDGET_LINES_PER_S = 20_000
LINES = 12_000
RUNS = 7
CENT = Decimal("0.01")

NOTATIONS = (
    "TM:100",
    "BR_INCL:150",
    "BR_INCL:200",
    "BR_EXCL:30",
    "TM:100+EUR:150",
    "BR_INCL:400+EUR:200",
    "FR:80",
    "NONE",
)
RATES = ("70%", "60%", "65%", "30%", "7/10")

Question = tuple[int, int, str, str, int]


def questions(count: int) -> list[Question]:
    """Lines with spread-out amounts, the same in every run: expense, base, rate, guarantee, participation."""
    return [
        (
            1_500 + number * 37 % 90_000,
            1_000 + number * 53 % 12_000,
            RATES[number % len(RATES)],
            NOTATIONS[number % len(NOTATIONS)],
            200 * (number % 2),
        )
        for number in range(count)
    ]


def ours(question: Question) -> tuple[int, int, list[str]]:
    """One line from text to split and reasons, as a door asks for it."""
    expense, base, rate, guarantee, participation = question
    line = read_line(expense, base, rate, participation_cents=participation)
    split = compute(line, parse(guarantee))
    return split.amo_cents, split.amc_cents, because(split, line)


def plain(question: Question) -> tuple[int, int, list[str]]:
    """The peer: the rules of the notations above, in euros with `decimal`, read anew each time."""
    expense, base = (Decimal(cents) / 100 for cents in question[:2])
    rate = plain_rate(question[2])
    amo = min((base * rate).quantize(CENT, ROUND_HALF_UP), expense)
    said = [f"L'Assurance maladie rembourse {rate * 100:.0f} % de {said_euros(base)}, soit {said_euros(amo)}."]
    said.append(f"Le ticket modérateur est de {said_euros(base - amo)}.")
    if expense > base:
        said.append(f"La dépense dépasse la base de {said_euros(expense - base)}.")
    total = Decimal(0)
    for part in question[3].split("+"):
        ceiling = plain_ceiling(part, expense, base, amo)
        said.append(f"Votre contrat ({part}) peut verser {said_euros(ceiling)}.")
        total += ceiling
    amc = min(total, expense - amo)
    said.append(f"La complémentaire verse {said_euros(amc)}, sur les {said_euros(expense - amo)} qui restent à payer.")
    if question[4]:
        said.append(f"L'Assurance maladie retiendra {said_euros(Decimal(question[4]) / 100)}.")
    said.append(f"Il vous reste {said_euros(expense - amo - amc)} à payer.")
    return int(amo * 100), int(amc * 100), said


def plain_rate(text: str) -> Decimal:
    """A rate as decimal."""
    if text.endswith("%"):
        return Decimal(text[:-1]) / 100
    numerator, denominator = text.split("/")
    return Decimal(numerator) / Decimal(denominator)


def plain_ceiling(part: str, expense: Decimal, base: Decimal, amo: Decimal) -> Decimal:
    """The ceiling of one part, in euros."""
    if part == "NONE":
        return Decimal(0)
    found = re.fullmatch(r"([A-Z_]+):([\d.]+)", part)
    assert found
    kind, value = found[1], Decimal(found[2])
    exact = {
        "TM": (base - amo) * value / 100,
        "BR_INCL": base * value / 100,
        "BR_EXCL": base * value / 100,
        "FR": expense * value / 100,
        "EUR": value,
    }[kind].quantize(CENT, ROUND_HALF_UP)
    return max(Decimal(0), exact - amo) if kind in ("BR_INCL", "FR") else exact


def said_euros(amount: Decimal) -> str:
    """Euros in French."""
    return f"{amount:,.2f} €".replace(",", "\u202f").replace(".", ",")


def lines_per_s(share_out: Callable[[Question], Any], asked: list[Question]) -> float:
    """The median speed of several runs on one core, without the collector's pauses of other tests."""
    speeds = []
    for _ in range(RUNS):
        gc.collect()
        start = time.perf_counter()
        for question in asked:
            share_out(question)
        speeds.append(len(asked) / (time.perf_counter() - start))
    return median(speeds)


def measure() -> dict[str, Any]:
    """Both speeds, after checking that both give the same amounts for every line."""
    asked = questions(LINES)
    for question in asked:
        assert ours(question)[:2] == plain(question)[:2], question
    speed, peer = lines_per_s(ours, asked), lines_per_s(plain, asked)
    return {
        "name": "quote",
        "unit": "lines/s/core",
        "budget": BUDGET_LINES_PER_S,
        "measure": round(speed),
        "peer": round(peer),
        "peer_name": "decimal, written plainly",
        "held": speed >= BUDGET_LINES_PER_S,
        "runs": RUNS,
        "lines": LINES,
    }


def main() -> int:
    """Print the measure; exit code 1 when the budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    as_json = parser.parse_args().json
    found = measure()
    if as_json:
        print(json.dumps(found))
    else:
        print(f"quote: {found['measure']:,} lines/s on one core (budget {found['budget']:,}), median of {RUNS} runs")
        print(f"peer:  {found['peer']:,} lines/s, {found['peer_name']}, same amounts on all {LINES:,} lines")
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
