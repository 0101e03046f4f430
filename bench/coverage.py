"""How many billed lines one core shares out in a second with guarantees that count, their accounts in memory.

What is measured is all a claim asks of the rules, through the functions that the hub calls: amounts checked and rates
read, rows found in a table of 22, accounts named, spans known, what others used looked up, one contract after the other
(two on every second bill), each line seeing what the one before has used. Bills have three lines; three in five of them
read an account (Y, 24M or 48M) that holds four uses.

On an envelope: the busiest second sees 4,500 lines of quotes (bench/quote.py). For each line and contract the rules read
some ten rows twice (spans, then price) at 0.15 µs, name and read an account in 3 µs, and compute in 5 µs: with 1.5
contracts, 17 µs, or 60,000 lines/s; sentences add seven times 0.7 µs a contract.
Budget: 30,000 lines/s on one core, without the sentences; with them it is told too.

Beside it, in the same run, a peer that computes taxes and benefits in production: OpenFisca-core evaluating the same formula
(AMO, then one of five kinds of guarantee, without accounts) on the same cases, one simulation a line as a service would
answer, and all lines in one simulation. It has an environment of its own; without PyPI only we are measured.
Every speed is by the processor's time of one process, so that others on the machine take nothing from it.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Any

from bench.care import LINES_A_BILL, Bill, bills
from bench.peers import openfisca
from ecluse.claims.claim import Priced
from ecluse.claims.price import price, priceable, reasons, spans
from ecluse.coverage.accounts import Kept, Spans
from ecluse.coverage.line import Used
from ecluse.rules.book import open_book

BUDGET_LINES_PER_S = 30_000
BILLS = 4_000
RUNS = 7
USES = 4  # days on which an account was used before
BOOK = open_book()


def kept(read: Spans) -> Kept:
    """What was used of each account before, spread over its span."""
    return {
        name: [
            (first + timedelta(days=(last - first).days * place // USES), Used(place % 2, 1_500 * place))
            for place in range(USES)
        ]
        for name, (first, last) in read.items()
    }


def known(bill: Bill) -> Kept:
    """The accounts of a bill, as a store would give them."""
    domain, lines, payers = bill
    return kept(spans(domain, lines, lambda _: payers))


def share_out(bill: Bill, used: Kept) -> tuple[Priced, ...]:
    """All that the hub asks of the rules for one bill; reading the accounts themselves is the store's."""
    domain, lines, payers = bill
    spans(domain, lines, lambda _: payers)
    priced = [(billed, priceable(billed, index, BOOK)) for index, billed in enumerate(lines)]
    return price(domain, priced, lambda _: payers, used)


def explained(bill: Bill, used: Kept) -> list[list[str]]:
    """The same, with its sentences."""
    return [reasons(each) for each in share_out(bill, used)]


def lines_per_s(work: Callable[[Bill, Kept], Any], asked: Sequence[tuple[Bill, Kept]]) -> float:
    """One run on one core, by the processor's time: what others do on the machine meanwhile is not ours."""
    gc.collect()
    started_s = time.process_time()
    for bill, used in asked:
        work(bill, used)
    return len(asked) * LINES_A_BILL / (time.process_time() - started_s)


def checked(asked: Sequence[tuple[Bill, Kept]]) -> dict[str, float]:
    """What the lines are like; that the amounts add up is made sure of before anything is measured."""
    priced = [line for bill, used in asked for line in share_out(bill, used)]
    for line in priced:
        assert line.amo_cents + line.amc_cents + line.patient_cents == line.billed.expense_cents
    counted = [line for line in priced if any(paid.uses for paid in line.paid)]
    assert any(use.cents or use.acts for line in counted for paid in line.paid for use in paid.uses)
    return {
        "lines": len(priced),
        "counted_share": round(len(counted) / len(priced), 2),
        "contracts_a_line": round(sum(len(line.paid) for line in priced) / len(priced), 2),
    }


def measure(count: int) -> dict[str, Any]:
    """Medians of runs taken in turn, and the peer's."""
    asked = [(bill, known(bill)) for bill in bills(count)]
    found = checked(asked)
    runs = [(lines_per_s(share_out, asked), lines_per_s(explained, asked)) for _ in range(RUNS)]
    speed = median(plain for plain, _ in runs)
    return {
        "name": "coverage",
        "unit": "lines/s/core",
        "budget": BUDGET_LINES_PER_S,
        "measure": round(speed),
        "lowest": round(min(plain for plain, _ in runs)),
        "highest": round(max(plain for plain, _ in runs)),
        "with_sentences": round(median(said for _, said in runs)),
        "held": speed >= BUDGET_LINES_PER_S,
        "runs": RUNS,
        **found,
        "peer": openfisca.compared(RUNS),
    }


def profile(count: int) -> None:
    """Where the time goes."""
    asked = [(bill, known(bill)) for bill in bills(count)]
    profiler = cProfile.Profile()
    profiler.runcall(lines_per_s, share_out, asked)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def said(found: dict[str, Any]) -> Iterator[str]:
    """The measure in sentences."""
    yield f"coverage: {found['measure']:,} lines/s on one core (budget {found['budget']:,}), median of {found['runs']} runs"
    yield f"          ({found['lowest']:,} to {found['highest']:,}; {found['counted_share']:.0%} of lines read an account)"
    yield f"          {found['with_sentences']:,} lines/s with the sentences"
    peer = found["peer"]
    if peer["missing"]:
        yield f"peer:     not measured: {peer['missing']}"
        return
    yield f"peer:     {peer['name']}, same amounts on all {peer['lines']:,} lines of one contract without accounts:"
    yield f"          ours on these {peer['ours']:,} lines/s; {peer['ours_with_sentences']:,} with the sentences"
    yield f"          one simulation a line {peer['per_case']:,} lines/s (we are {peer['times_per_case']} ×)"
    yield f"          read from a dictionary, as its web API does, {peer['per_case_read']:,} lines/s"
    yield f"          all lines in one simulation {peer['vectorised']:,} lines/s ({peer['vectorised_times_ours']} × ours)"


def main() -> int:
    """Print the measure; exit code 1 when the budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--bills", type=int, default=BILLS, help="bills of three lines")
    parser.add_argument("--profile", action="store_true", help="where the time goes, and no measure")
    given = parser.parse_args()
    if given.profile:
        profile(given.bills)
        return 0
    found = measure(given.bills)
    print(json.dumps(found) if given.json else "\n".join(said(found)))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
