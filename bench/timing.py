"""Whether a thief can tell by the time of an answer who exists: questions all answered `not_confirmed`, or all refused because
the allowance is spent, class against class.

On an envelope: an answer takes 0.5 to 2 ms through HTTP, most of it the journal's disk and the event loop. Opening a right that
is there takes 5 µs of AES-GCM and MessagePack, finding its row 10 µs: a hundredth of an answer, and less than its spread. But a
thief asks often, so the work itself is made the same (docs/gate.md), and this looks for what is left.
Budget: with thousands of samples a class, taken in turn in random order on one connection, no class is told from that of people
who do not exist: Mann-Whitney and Kolmogorov-Smirnov, two-sided, p above 1 % shared among all tests (Bonferroni).
The peer is the check itself in this process, without network and disk: what nobody outside can measure, and where a difference
would come from. Its medians are printed; what they differ by is what a thief would have to see through the noise.

    python -m bench.timing [--samples 4000] [--people 20000] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import NormalDist, median
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec

from bench import members
from bench.load import prepared
from bench.results import keep
from bench.rights import PORTS, ecluse, program, running
from ecluse.app.decoys import Planting, plant_people
from ecluse.app.hub import Hub
from ecluse.app.ports import Log, Mark
from ecluse.app.rights import RightsQuestion, check_rights, reference
from ecluse.gate.admission import Request
from ecluse.gate.decoys import Row
from ecluse.gate.identity import Account
from ecluse.journal.member import Member
from ecluse.kernel.days import PARIS
from ecluse.wiring import open_hub

ALPHA = 0.01
WARM = 200  # answers before the first that counts
OTHER, NOWHERE = "0075999998", "0075999999"  # an insurer served here with other members; one not served
REFERENCE = "unknown"
FROZEN = 300  # members who froze typed look-ups
DECOYS = 300  # people who exist for thieves only: about as many as one insurer can have
DOCTOR = Account("rpps:10000000001", "370000028", scopes=frozenset({"rights"}))
CHECKS, CLAIMS = "/v1/rights/checks", "/v1/claims"
LINES = 20  # of a claim, each on a day of its own
SPENT_EACH = 50  # questions of an account whose allowance is spent: past `access.REFUSED_MAX` nobody is looked for
CAPS = """as_of = 2026-11-30
source = "a bench"
[professions]
other = { debt = 1, burst = 1, refill_per_day = 1, yearly = 1 }
"""

Question = dict[str, Any]


class Way(NamedTuple):
    """How it is asked: where, by whom (one after the other, `SPENT_EACH` questions each), and what is in every answer."""

    path: str
    tokens: Sequence[str]
    told: bytes


def classes(people: int, today: str) -> dict[str, Callable[[int], Question]]:
    """The `number`-th question of each class; every third member's rights have ended (`feed`)."""

    def asked(number: int, **changes: Any) -> Question:
        return {**members.question(number, today), **changes}

    def born(number: int, day: str) -> Question:
        whole = members.question(number, today)
        return {**whole, "beneficiary": {**whole["beneficiary"], "birth_date": day}}  # type: ignore[dict-item]

    return {
        REFERENCE: lambda number: asked(people + number),
        "again unknown": lambda number: asked(3 * people + number),  # the same class: what chance alone gives
        "closed": lambda number: asked(3 * (number % (people // 3))),
        "other domain": lambda number: asked(3 * (number % (people // 3)) + 1, domain="OPTI"),
        "wrong birth date": lambda number: born(3 * (number % (people // 3)) + 1, "1932-12-30"),
        "frozen": lambda number: asked(3 * (number % FROZEN) + 2),
        "decoy": lambda number: asked(4 * people + number % DECOYS),
        "other insurer": lambda number: asked(number % people, insurer=OTHER),
        "insurer not served": lambda number: asked(number % people, insurer=NOWHERE),
    }


def spent_classes(people: int, today: str, path: str) -> dict[str, Callable[[int], Question]]:
    """The same for accounts whose allowance is spent, of whom the covered are refused too."""
    every = classes(people, today)
    every["covered"] = lambda number: members.question(3 * (number % (people // 3)) + 1, today)
    names = (REFERENCE, "again unknown", "covered", "closed", "other insurer")
    asked = {name: every[name] for name in names}
    return asked if path == CHECKS else {name: _billed(each, today) for name, each in asked.items()}


def _billed(asked: Callable[[int], Question], today: str) -> Callable[[int], Question]:
    days = [(date.fromisoformat(today) - timedelta(days=back)).isoformat() for back in reversed(range(LINES))]
    line = {"act": "CS", "quantity": 1, "expense_cents": 3000, "base_cents": 3000, "amo_rate": "70%"}
    lines = [{**line, "line": at, "date": day} for at, day in enumerate(days, 1)]

    def claim(number: int) -> Question:
        card = {name: value for name, value in asked(number).items() if name not in ("pass", "care_date")}
        return {**card, "care_date": days[0], "invoice": f"F{number}", "lines": lines}

    return claim


def make(home: Path, people: int) -> str:
    """A hub with members, a third of whom are covered no more, and another insurer's; a token."""
    rows = list(members.rows(people))
    ended = [
        row.replace(",2026-01-01,,", ",2025-01-01,2025-12-31,") if at % 3 == 0 else row
        for at, row in enumerate(rows[1:])
    ]
    others = [row.replace(members.AMC, OTHER) for row in members.rows(2 * people)][-people:]
    (home / "product.yaml").write_text(members.PRODUCT_YAML)
    where = ["--dir", str(home / "hub")]
    ecluse("init", str(home / "hub"))
    for insurer, lines in ((members.AMC, ended), (OTHER, others)):
        (home / "members.csv").write_text("\n".join([members.HEADER, *lines]) + "\n")
        ecluse("product", "load", str(home / "product.yaml"), "--insurer", insurer, *where)
        ecluse("feed", "load", str(home / "members.csv"), "--insurer", insurer, "--full", *where)
    freeze_some(home / "hub")
    plant_some(home / "hub", 4 * people)
    return ecluse("dev", "token", "--account", DOCTOR.sub, "--practice", DOCTOR.practice, *where).strip()


def freeze_some(directory: Path) -> None:
    """Have the members of the class "frozen" freeze typed look-ups."""
    with open_hub(directory) as hub:
        for number in range(3 * FROZEN)[2::3]:
            person = reference(hub, members.AMC, Member(f"M{number:09d}", members.member(number)[1], 1))
            hub.freezes.freeze(members.AMC, person, hub.now_ts_us)


def plant_some(directory: Path, first: int) -> None:
    """Plant the decoys of the class "decoy"."""
    numbers = range(first, first + DECOYS)
    rows = [Row(f"M{number:09d}", *members.member(number), 1) for number in numbers]
    with open_hub(directory) as hub:
        hub.run(plant_people(hub, Planting("a bench", "bench", "to be timed"), members.AMC, rows))


def in_turn(kinds: Sequence[str], samples: int, seed: int) -> list[tuple[str, int]]:
    """One of each class in random order, then again: what drifts on the machine drifts for all."""
    drawn = random.Random(seed)
    turns: list[tuple[str, int]] = []
    for number in range(samples):
        order = list(kinds)
        drawn.shuffle(order)
        turns += [(kind, number) for kind in order]
    return turns


def through_http(
    port: int, way: Way, turns: list[tuple[str, int]], asked: dict[str, Callable[[int], Question]]
) -> dict[str, list[float]]:
    """Microseconds from the first byte sent to the last received, by class, on one connection."""
    times_us: dict[str, list[float]] = {kind: [] for kind in asked}
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at, (kind, number) in enumerate(turns):
            token = way.tokens[at // SPENT_EACH % len(way.tokens)]
            (sent,) = prepared([json.dumps(asked[kind](number)).encode()], way.path, f"Bearer {token}")
            begun_ns = time.perf_counter_ns()
            wire.sendall(sent)
            answer = wire.recv(65_536)
            while not answer.endswith(b"}"):  # the body comes after the head
                answer += wire.recv(65_536)
            taken_us = (time.perf_counter_ns() - begun_ns) / 1000
            if way.told not in answer:
                raise RuntimeError(f"{kind}: {answer[-200:]!r}")
            if at >= WARM:
                times_us[kind].append(taken_us)
    return times_us


class Nowhere:
    """A journal without a disk: only here, to hear what it would drown."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Nothing is kept."""
        return Mark("nowhere", 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def inside(
    directory: Path, turns: list[tuple[str, int]], asked: dict[str, Callable[[int], Question]]
) -> dict[str, list[float]]:
    """Microseconds of the check alone, by class."""
    times_us: dict[str, list[float]] = {kind: [] for kind in asked}

    async def run(hub: Hub) -> None:
        for at, (kind, number) in enumerate(turns):
            question = msgspec.convert(asked[kind](number), RightsQuestion)
            request = Request(DOCTOR, hub.ids.new("chk_"))
            begun_ns = time.perf_counter_ns()
            await check_rights(hub, request, question)
            if at >= WARM:
                times_us[kind].append((time.perf_counter_ns() - begun_ns) / 1000)

    with open_hub(directory, Nowhere) as hub:
        hub.run(run(hub))
    return times_us


def told_apart(times: Sequence[float], reference: Sequence[float]) -> dict[str, float]:
    """Mann-Whitney with ties: `auc`, the chance that an answer of this class takes longer than one of the reference;
    `p`, two-sided.

    And the largest distance of their distributions (Kolmogorov-Smirnov) with its `ks_p`, asymptotic.
    """
    pooled = sorted([(each, 0) for each in times] + [(each, 1) for each in reference])
    n, m, rank_sum, ties = len(times), len(reference), 0.0, 0.0
    at = seen = others = 0
    ks = 0.0
    while at < len(pooled):
        end = at
        while end < len(pooled) and pooled[end][0] == pooled[at][0]:
            end += 1
        own = sum(which == 0 for _, which in pooled[at:end])
        rank_sum += own * (at + end + 1) / 2
        ties += (end - at) ** 3 - (end - at)
        seen, others, at = seen + own, others + end - at - own, end
        ks = max(ks, abs(seen / n - others / m))
    u = rank_sum - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    z = (u - n * m / 2) / spread
    return {
        "median_us": round(median(times), 1),
        "auc": round(u / (n * m), 4),
        "p": 2 * NormalDist().cdf(-abs(z)),
        "ks": round(ks, 4),
        "ks_p": min(1.0, 2 * math.exp(-2 * ks * ks * n * m / (n + m))),
    }


def compared(times_us: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Each class against people who do not exist."""
    return {kind: told_apart(times, times_us[REFERENCE]) for kind, times in times_us.items()}


def measure(samples: int, people: int, seed: int) -> dict[str, Any]:
    """Through HTTP, then inside."""
    home = Path(tempfile.mkdtemp(prefix="ecluse-bench-"))
    today = datetime.now(PARIS).date().isoformat()
    asked = classes(people, today)
    turns = in_turn(list(asked), samples, seed)
    try:
        token = make(home, people)
        serve = [program(), "serve", "--port", str(PORTS["ecluse"]), "--dir", str(home / "hub")]
        with running(serve, PORTS["ecluse"], ECLUSE_GATE_DETECTORS="tell"):  # misses in a row are a theft
            way = Way(CHECKS, [token], b'"outcome":"not_confirmed"}')
            found = {"http": compared(through_http(PORTS["ecluse"], way, turns, asked))}
        found["inside"] = compared(inside(home / "hub", turns, asked))
        for name, path in (("spent, checks", CHECKS), ("spent, claims", CLAIMS)):
            found[name] = spent(home, path, samples, people, today, seed)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    held = not _told([each for name, each in found.items() if name != "inside"])
    return {"samples": samples, "times": found, "within_budget": held}


def spent(home: Path, path: str, samples: int, people: int, today: str, seed: int) -> dict[str, dict[str, float]]:
    """The same where every account has opened the one person it may, through HTTP."""
    (home / "caps.toml").write_text(CAPS)
    told = {"ECLUSE_GATE_CAPS": str(home / "caps.toml"), "ECLUSE_GATE_DETECTORS": "tell"}
    asked = spent_classes(people, today, path)
    turns = in_turn(list(asked), samples, seed)
    with patch.dict(os.environ, told), open_hub(home / "hub") as hub:
        now_ts, issuer = int(time.time()), hub.development_issuer()
        first = {CHECKS: 10_000_100_000, CLAIMS: 10_000_200_000}[path]
        accounts = range(first, first + len(turns) // SPENT_EACH + 1)
        scopes = frozenset({"rights", "claims"})
        tokens = [issuer.token(Account(f"rpps:{each}", DOCTOR.practice, scopes=scopes), now_ts) for each in accounts]
    serve = [program(), "serve", "--port", str(PORTS["ecluse"]), "--dir", str(home / "hub")]
    with running(serve, PORTS["ecluse"], **told):
        opening = {"covered": lambda number: members.question(3 * (people // 3 - 1 - number) + 1, today)}
        for token in tokens:  # one is told of, the second refused: from then on the account is known to be at its cap
            for at, said in enumerate((b'"confirmed"', b"allowance_spent")):
                through_http(PORTS["ecluse"], Way(CHECKS, [token], said), [("covered", at)], opening)
        return compared(through_http(PORTS["ecluse"], Way(path, tokens, b"allowance_spent"), turns, asked))


def _told(found: Sequence[dict[str, dict[str, float]]]) -> bool:
    """Whether one of the classes is told from the reference, the level shared among both tests of each."""
    tests = [(each["p"], each["ks_p"]) for kinds in found for kind, each in kinds.items() if kind != REFERENCE]
    return min(min(each) for each in tests) < ALPHA / (2 * len(tests))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Whether answers of different causes take different times.")
    parser.add_argument("--samples", type=int, default=4_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the figures under bench/results/")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found = measure(given.samples, given.people, given.seed)
    if given.keep:
        keep(f"timing-{given.samples}", found)
    if given.json:
        print(json.dumps(found))
        return
    for where, kinds in found["times"].items():
        print(f"{where}: {given.samples} samples a class")
        for kind, each in kinds.items():
            print(
                f"  {kind:20} median {each['median_us']:8.1f} µs  AUC {each['auc']:.4f}  p {each['p']:.2g}"
                f"  KS {each['ks']:.4f}  p {each['ks_p']:.2g}"
            )
    print(f"budget: no class told apart through HTTP: {'held' if found['within_budget'] else 'missed'}")


if __name__ == "__main__":
    main()
