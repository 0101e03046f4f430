"""Rights checks a second through the real server: token verified, answer's trace durable before it leaves.

On an envelope: 33 million people make 2.5 million consultations a day, 15 % of them in the busiest hour, about 100/s; two
calls each and a busiest second at three times the mean: 600/s, 1 500/s in a burst. One check is about 20 µs of our own work
(read JSON, HMAC, one row, AES-GCM, encode), 40 µs of HTTP and event loop, a share of one sync for every request that
waits (0.1 to 0.3 ms shared by 10 to 30), and one row kept: 120 µs, or 8 000/s on one core.
Budget, one worker, 32 connections, load generator on the other core: 5 000/s with p99 ≤ 15 ms; 10 × a FastAPI,
SQLAlchemy and PostgreSQL look-up without token or journal; 2 × a bare ASGI and asyncpg one. What serves has the first
core (a peer with its PostgreSQL, we with our journal), what asks has the other.

On PostgreSQL (`--store postgresql`) the hub shares the first core with its server, as the peers do, and it is the same server.
Budget there: 2 500/s, 5 × the FastAPI look-up.

    python -m bench.rights [--store postgresql] [--people 1000000] [--seconds 5] [--alone] [--bound bearer mtls …] [--json]

Tokens of several kinds, and the peers, are asked with in turn: what a machine's mood does to one it does to all.

The peers need PostgreSQL's binaries (`apt-get install postgresql`); without them only `--alone` measures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import members
from bench.bound import KINDS, SETTINGS, Bound
from bench.postgres import server, url
from bench.results import keep
from ecluse.kernel.days import PARIS

BUDGET_P99_MS = 15.0
BUDGET_PER_S = {"sqlite": 5_000, "postgresql": 2_500}
# What the bare peer answered where the budget was set (docs/bench.md): our rate is told for that machine too, by the ratio of the
# same run. Where the bare peer itself misses the budget, nothing else tells of it.
RATED_PER_S = {"sqlite": 9_200, "postgresql": 5_300}
BUDGET_TIMES = {"sqlite": {"fastapi": 10, "asgi": 2}, "postgresql": {"fastapi": 5}}
QUESTIONS = 20_000
ROUNDS = 3
PROVED_PER_S = 6_000  # proofs made for a second: more than are checked
CREATE = "CREATE TABLE rights (person bytea PRIMARY KEY, contract text, domains text, valid_from date, valid_to date)"
# One account asks for a whole département: everybody is counted, nobody is refused.
CAPS = """as_of = 2026-11-29
source = "a bench"
[professions]
other = { debt = 1_000_000_000, burst = 1_000_000_000, refill_per_day = 86_400_000_000, yearly = 1_000_000_000 }
"""
PORTS = {"ecluse": 8471, "fastapi": 8472, "asgi": 8473}
PATHS = {"ecluse": "/v1/rights/checks", "fastapi": "/check", "asgi": "/check"}


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[int]:
    """A server in a process of its own, pinned to the first core, until the end of the block; the value is its number."""
    pinned = ["taskset", "-c", "0", *command] if shutil.which("taskset") else command
    process = subprocess.Popen(pinned, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


class Served(NamedTuple):
    """Our own server: the number of its process, and a token it takes."""

    process: int
    token: str


@contextmanager
def hub(people: int, home: Path, product: str = members.PRODUCT_YAML, **environment: str) -> Iterator[Served]:
    """Our own server over `people` members."""
    members.write_feed(home / "members.csv", people)
    (home / "product.yaml").write_text(product)
    directory = ["--dir", str(home / "hub")]
    (home / "caps.toml").write_text(CAPS)
    told = {"ECLUSE_GATE_CAPS": str(home / "caps.toml"), "ECLUSE_GATE_DETECTORS": "tell"}  # or the load is a theft
    environment = {**told, **environment}
    ecluse("init", str(home / "hub"), **environment)
    ecluse("product", "load", str(home / "product.yaml"), "--insurer", members.AMC, *directory, **environment)
    ecluse("feed", "load", str(home / "members.csv"), "--insurer", members.AMC, "--full", *directory, **environment)
    (home / "members.csv").unlink()
    token = ecluse(
        "dev", "token", "--account", "rpps:10000000001", "--practice", "370000028", *directory, **environment
    )
    serve = [program(), "serve", "--port", str(PORTS["ecluse"]), *directory]
    with running(serve, PORTS["ecluse"], **environment) as process:
        yield Served(process, token.strip())


@contextmanager
def peers(people: int, socket: Path) -> Iterator[None]:
    """Both peers over one PostgreSQL with the same members."""
    with ExitStack() as stack:
        _fill(socket, people)
        for name in ("fastapi", "asgi"):
            application = f"bench.peers.eligibility_{name}:app"
            command = [sys.executable, "-m", "uvicorn", application, "--port", str(PORTS[name]), "--no-access-log"]
            stack.enter_context(running(command, PORTS[name], ECLUSE_PEER_SOCKET=str(socket)))
        yield


def _fill(socket: Path, people: int) -> None:
    import psycopg

    with psycopg.connect(host=str(socket), user="postgres", dbname="postgres") as connection:
        connection.execute(CREATE)
        with connection.cursor().copy("COPY rights FROM STDIN") as copy:
            for number in range(people):
                nir, born = members.member(number)
                key = sha256(f"{nir}|{born}|1".encode()).digest()[:16]
                copy.write_row((key, f"C{number}", "MED PHAR LABO DENT", date(2026, 1, 1), None))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE rights")


def ask(name: str, lines: bytes, seconds: float, authorization: str, path: str = "") -> dict[str, Any]:
    """One round of load on one server, from the other core; `lines` as bench/load.py reads them."""
    command = [sys.executable, "-m", "bench.load", str(PORTS[name]), path or PATHS[name], "--seconds", str(seconds)]
    pinned = ["taskset", "-c", "1", *command] if shutil.which("taskset") else command
    done = subprocess.run([*pinned, "--authorization", authorization], input=lines, capture_output=True, check=True)
    answered: dict[str, Any] = json.loads(done.stdout)
    if answered["others"]:
        raise RuntimeError(f"{name}: {answered['others']} answers were not 200")
    return answered


def measure(
    people: int, seconds: float, *, store: str, alone: bool = False, bounds: Sequence[str] = KINDS[:1]
) -> dict[str, Any]:
    """Medians of rounds taken in turn, and the ratios."""
    today = datetime.now(PARIS).date().isoformat()
    bodies = [json.dumps(members.question(number, today)).encode() for number in members.sample(people, QUESTIONS)]
    home = Path(tempfile.mkdtemp(prefix="ecluse-bench-", dir=os.environ.get("ECLUSE_BENCH_DIR")))
    try:
        with ExitStack() as stack:
            socket = stack.enter_context(server()) if store == "postgresql" or not alone else None
            where = {"ECLUSE_STORE_URL": url(socket, "hub")} if socket and store == "postgresql" else {}
            settings = {name: value for kind in bounds for name, value in SETTINGS.get(kind, {}).items()}
            stack.enter_context(hub(people, home, **where, **settings))
            askers = {kind: Bound(kind, home / "hub", PORTS["ecluse"], PATHS["ecluse"]) for kind in bounds}
            names = [*bounds]
            if socket and not alone:
                stack.enter_context(peers(people, socket))
                names += ["fastapi", "asgi"]

            def answered(name: str) -> dict[str, Any]:
                if name not in askers:
                    return ask(name, b"\n".join(bodies), seconds, "")
                lines = askers[name].lines(bodies, int(seconds * PROVED_PER_S))
                return ask("ecluse", b"\n".join(lines), seconds, askers[name].authorization)

            rounds = [{name: answered(name) for name in names} for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    figures = {
        name: {key: median(each[name][key] for each in rounds) for key in ("per_s", "p50_ms", "p99_ms")}
        for name in names
    }
    return {
        "bench": "rights",
        "store": store,
        "people": people,
        "figures": figures,
        "ours": {kind: beside(kind, store, figures, rounds) for kind in bounds},
    }


def beside(
    kind: str, store: str, figures: dict[str, dict[str, float]], rounds: list[dict[str, dict[str, Any]]]
) -> dict[str, Any]:
    """Our own answers to tokens of a kind: how many times the peers', round by round, and whether all that was asked holds."""
    times = {
        name: round(median(each[kind]["per_s"] / each[name]["per_s"] for each in rounds), 2)
        for name in figures
        if name in PATHS
    }
    held = figures[kind]["per_s"] >= BUDGET_PER_S[store] and figures[kind]["p99_ms"] <= BUDGET_P99_MS
    held = held and all(times[name] >= asked for name, asked in BUDGET_TIMES[store].items() if name in times)
    rated = {"rated_per_s": round(times["asgi"] * RATED_PER_S[store])} if "asgi" in times else {}
    return {"times": times, "within_budget": held, **rated}


def program() -> str:
    """Our own command."""
    return str(Path(sys.executable).with_name("ecluse"))


def ecluse(*words: str, **environment: str) -> str:
    """What one of our commands prints."""
    inherited = {**os.environ, **environment}
    done = subprocess.run([program(), *words], capture_output=True, text=True, check=False, env=inherited)
    if done.returncode:
        raise RuntimeError(f"ecluse {words[0]}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Rights checks a second, beside two peers.")
    parser.add_argument("--store", choices=sorted(BUDGET_PER_S), default="sqlite")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument(
        "--alone", action="store_true", help="without the peers: 33 million rows take them long to load"
    )
    parser.add_argument("--bound", choices=KINDS, nargs="+", default=KINDS[:1], help="what our tokens are bound to")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the figures under bench/results/")
    given = parser.parse_args()
    found = measure(given.people, given.seconds, store=given.store, alone=given.alone, bounds=given.bound)
    if given.keep:
        keep(f"rights-{given.store}-{given.people}", found)
    if given.json:
        print(json.dumps(found))
        return
    ratios = "".join(f", {asked} × {name}" for name, asked in BUDGET_TIMES[given.store].items())
    print(f"budget: {BUDGET_PER_S[given.store]}/s, p99 {BUDGET_P99_MS} ms{ratios}")
    for name, figures in found["figures"].items():
        told = f"{name:8} {figures['per_s']:>7.0f}/s  p50 {figures['p50_ms']:.2f} ms  p99 {figures['p99_ms']:.2f} ms"
        if ours := found["ours"].get(name):
            told += "".join(f"  {times} × {peer}" for peer, times in ours["times"].items())
            told += "  held" if ours["within_budget"] else "  missed"
            told += (
                f"; {ours['rated_per_s']}/s where asgi has {RATED_PER_S[given.store]}" if "rated_per_s" in ours else ""
            )
        print(told)


if __name__ == "__main__":
    main()
