"""OpenFisca-core beside us: its own environment, the cases put to both, and the comparison of what they answered.

It is under the AGPL: never a dependency of the product nor of the benches. It is fetched from PyPI when the bench runs, into
`.venv/peers/openfisca`, and spoken to through a pipe. Where PyPI cannot be reached the peer is left out, and that is said.

The cases are lines of one contract whose guarantee is one part of five kinds. What the peer is not asked: sentences, the
accounts in their order, several contracts, conditions of rows, the reading of a notation.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import convert

from bench.care import DAY, MEMBER_SINCE
from ecluse.claims.claim import Billed, Priced
from ecluse.claims.price import Payer, price, priceable, reasons
from ecluse.coverage.product import Product, Row
from ecluse.kernel.days import FOREVER
from ecluse.rights.model import Covered, Domain
from ecluse.rules.book import open_book

PINNED = "OpenFisca-Core==46.0.1"
PLACE = Path(__file__).parents[2] / ".venv" / "peers" / "openfisca"  # `make clean` takes it away
FETCH_S_MAX = 300  # numpy and the rest unpack to 100 MB
LINES = 12_000
ONE_BY_ONE = 1_000  # lines of the peer's runs of one simulation a line: it takes milliseconds for each
BOOK = open_book()

# Kind, and its number as the notation has it; then the same for the peer: hundredths of a percent, or cents.
GUARANTEES = (("TM", "100"), ("BR_INCL", "150"), ("BR_INCL", "200"), ("BR_EXCL", "30"), ("FR", "80"), ("EUR", "150"))
CARE = {"doctor": "70%", "auxiliary": "60%", "pharmacy": "65%", "pharmacy_moderate": "30%", "odd": "33.35%"}


def cases(count: int) -> list[dict[str, Any]]:
    """Lines with spread-out amounts, the same in every run. `act` names the row, `rate` the AMO's."""
    cares = tuple(CARE)
    return [
        {
            "expense": 1_500 + number * 37 % 90_000,
            "base": 1_000 + number * 53 % 12_000,
            "care": cares[number % len(cares)],
            "guarantee": number % len(GUARANTEES),
        }
        for number in range(count)
    ]


def environment() -> Path | str:
    """The peer's Python, made once; or why there is none."""
    python, made = PLACE / "bin" / "python", PLACE / PINNED
    if made.exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE)], check=True, capture_output=True)
        fetch = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q", PINNED]
        subprocess.run(fetch, check=True, capture_output=True, timeout=FETCH_S_MAX)
    except (OSError, subprocess.SubprocessError) as failed:
        return f"{PINNED} could not be fetched from PyPI ({type(failed).__name__})"
    made.touch()
    return python


def compared(runs: int) -> dict[str, Any]:
    """Both sides' speeds on the same cases, once their amounts are the same to the cent; `missing` says why there are none."""
    python = environment()
    if isinstance(python, str):
        return {"missing": python}
    asked = cases(LINES)
    peer = _peer(python, asked, runs)
    lines = [_ours(case) for case in asked]
    for case, (billed, payer), theirs in zip(asked, lines, peer["amounts"], strict=True):
        priced = _shared(billed, payer)
        assert [priced.amo_cents, priced.amc_cents, priced.patient_cents] == theirs, (case, priced, theirs)
    speed, explained = (_speed(work, lines, runs) for work in (_shared, _explained))
    return {
        "missing": "",
        "name": f"{PINNED.replace('==', ' ')}, numpy {peer['numpy']}",
        "lines": len(asked),
        "ours": round(speed),
        "ours_with_sentences": round(explained),
        **{name: round(peer[name]) for name in ("per_case", "per_case_read", "vectorised")},
        "times_per_case": round(speed / peer["per_case"], 1),
        "vectorised_times_ours": round(peer["vectorised"] / speed, 1),
    }


def _peer(python: Path, asked: list[dict[str, Any]], runs: int) -> dict[str, Any]:
    question = {
        "cases": asked,
        "day": DAY.isoformat(),
        "rates": {care: round(float(rate.rstrip("%")) * 100) for care, rate in CARE.items()},
        "guarantees": [[kind, int(number) * 100] for kind, number in GUARANTEES],
        "runs": runs,
        "one_by_one": ONE_BY_ONE,
    }
    script = Path(__file__).with_name("coverage_openfisca.py")
    done = subprocess.run(
        [str(python), str(script)], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the peer failed: {done.stderr[-2000:]}")
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


def _ours(case: dict[str, Any]) -> tuple[Billed, Payer]:
    fields = {"line": 1, "act": f"G{case['guarantee']}", "date": DAY, "expense_cents": case["expense"]}
    return convert(fields | {"base_cents": case["base"], "amo_rate": CARE[case["care"]]}, Billed), PAYER


def _payer() -> Payer:
    rows = tuple(
        Row((Domain.MED,), f"{kind}:{number}", kind, acts=(f"G{place}",))
        for place, (kind, number) in enumerate(GUARANTEES)
    )
    product = Product("PEER", "Peer", responsible=False, guarantees=rows)
    return Payer(Covered("C1", "M1", "PEER", "v1", FOREVER, "SV", "0001", True, 1, MEMBER_SINCE), product)


PAYER = _payer()


def _shared(billed: Billed, payer: Payer) -> Priced:
    (priced,) = price(Domain.MED, ((billed, priceable(billed, 0, BOOK)),), lambda _: (payer,), {})
    return priced


def _explained(billed: Billed, payer: Payer) -> list[str]:
    return reasons(_shared(billed, payer))


def _speed(work: Callable[[Billed, Payer], Any], lines: Sequence[tuple[Billed, Payer]], runs: int) -> float:
    speeds = []
    for _ in range(runs):
        gc.collect()
        started_s = time.process_time()
        for billed, payer in lines:
            work(billed, payer)
        speeds.append(len(lines) / (time.process_time() - started_s))
    return median(speeds)
