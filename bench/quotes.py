"""Quotes a second through the real server, one worker: under an engagement given before, priced, explained, journalled.

On an envelope: 100 consultations/s in the busiest hour and 1,500 quotes/s in the busiest second (as many as rights checks).
A quote of one line is 25 µs of rules and 30 µs of sentences, one engagement read and opened, 50 µs of HTTP and JSON, 1.5 kB
answered, and its part of a sync: 200 µs, or 5,000/s on one core; three lines add 100 µs.
Budget, one worker, 32 connections, load generator on the other core: 3,000/s where the guarantee counts nothing, with one
line as with three. Where it counts, each quote reads the accounts and writes a reservation in a transaction before it
answers: measured apart, without a budget of its own.

    python -m bench.quotes [--people 10000] [--seconds 5] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from bench import members
from bench.results import keep
from bench.rights import PATHS, PORTS, Served, ask, hub
from ecluse.kernel.days import PARIS

BUDGET_PER_S = 3_000
ENGAGEMENTS = 2_000  # of each domain; under load each is quoted several times, as a patient asks again
ROUNDS = 3
PATH = "/v1/quotes"
PRODUCT = f"""product: {members.PRODUCT}
label: Formule du banc d'essai
responsible: false
guarantees:
  - {{domains: [MED, PHAR, LABO], guarantee: "BR_INCL:200", label: Soins courants}}
  - {{domains: [DENT], guarantee: "TM:100+REST:85[EUR:1900/Y]", label: Dentaire}}
"""
LOADS = {
    "one line": ("MED", 1),
    "three lines": ("MED", 3),
    "one line, counted": ("DENT", 1),
    "three lines, counted": ("DENT", 3),
}
BUDGETED = ("one line", "three lines")


def engagements(token: str, domain: str, people: int, today: date) -> Iterator[str]:
    """Numbers of engagements for people drawn at random, through rights checks as a practice makes them."""
    url = f"http://127.0.0.1:{PORTS['ecluse']}{PATHS['ecluse']}"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        for number in members.sample(people, ENGAGEMENTS):
            asked = members.question(number, today.isoformat()) | {"domain": domain}
            yield client.post(url, json=asked).raise_for_status().json()["engagement"]["number"]


def question(engagement: str, number: int, lines: int, today: date) -> dict[str, Any]:
    """A quote of so many lines, with spread-out amounts."""
    made = [
        {
            "line": place,
            "act": "CS",
            "date": today.isoformat(),
            "expense_cents": 3_000 + (number * 37 + place * 500) % 6_000,
            "base_cents": 3_150,
            "amo_rate": "70%",
        }
        for place in range(1, lines + 1)
    ]
    return {"engagement": engagement, "lines": made}


def prepared(token: str, people: int) -> dict[str, bytes]:
    """The bodies of each load, one a line."""
    today = datetime.now(PARIS).date()
    given = {domain: list(engagements(token, domain, people, today)) for domain in ("MED", "DENT")}
    bodies = {}
    for name, (domain, lines) in LOADS.items():
        written = io.BytesIO()
        for number, engagement in enumerate(given[domain]):
            written.write(json.dumps(question(engagement, number, lines, today)).encode() + b"\n")
        bodies[name] = written.getvalue()
    return bodies


def asked(served: Served, bodies: bytes, seconds: float) -> dict[str, Any]:
    """One round of one load; `per_processor_s` is by the time the server worked: others on the machine take none of it."""
    before_s = worked_s(served.process)
    answered = ask("ecluse", bodies, seconds, f"Bearer {served.token}", PATH)
    worked = worked_s(served.process) - before_s
    return answered | {"per_processor_s": round(answered["answers"] / worked)}


def worked_s(process: int) -> float:
    """Seconds of processor of the server, its workers and all their threads."""
    parent = psutil.Process(process)
    return sum(sum(each.cpu_times()[:2]) for each in (parent, *parent.children(recursive=True)))


def measure(people: int, seconds: float) -> dict[str, Any]:
    """Medians of rounds in which the loads take turns."""
    home = Path(tempfile.mkdtemp(prefix="ecluse-bench-", dir=os.environ.get("ECLUSE_BENCH_DIR")))
    try:
        with hub(people, home, PRODUCT) as served:
            bodies = prepared(served.token, people)
            rounds = [{name: asked(served, bodies[name], seconds) for name in LOADS} for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    keys = ("per_s", "per_processor_s", "p50_ms", "p99_ms")
    figures = {name: {key: median(each[name][key] for each in rounds) for key in keys} for name in LOADS}
    return {
        "bench": "quotes",
        "people": people,
        "rounds": ROUNDS,
        "figures": figures,
        "within_budget": all(figures[name]["per_s"] >= BUDGET_PER_S for name in BUDGETED),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Quotes a second through HTTP, one worker.")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the figures under bench/results/")
    given = parser.parse_args()
    found = measure(given.people, given.seconds)
    if given.keep:
        keep(f"quotes-sqlite-{given.people}", found)
    if given.json:
        print(json.dumps(found))
        return
    for name, each in found["figures"].items():
        speeds = f"{each['per_s']:>6.0f}/s  {each['per_processor_s']:>6.0f} for each second of processor"
        print(f"{name:21} {speeds}  p50 {each['p50_ms']:.2f} ms  p99 {each['p99_ms']:.2f} ms")
    print(f"budget: {BUDGET_PER_S}/s without counts: {'held' if found['within_budget'] else 'missed'}")


if __name__ == "__main__":
    main()
