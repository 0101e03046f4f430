"""What others have: lines of JSON in a log, searched for the accounts as grep does, then read line by line."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

COLUMNS = (
    "ts_us, account, practice, insurer, hex(reference) AS reference, "
    "operation, presence, fields, outcome, engagement, request, network, software, session"
)


def compared(files: list[str], asked: dict[str, Any], place: Path, runs: int) -> dict[str, Any]:
    """Write these entries as lines, in the order of time; seconds of the question, bytes a row."""
    log, wanted = place / "audit.jsonl", place / "accounts"
    duckdb.sql(f"COPY (SELECT {COLUMNS} FROM read_parquet({files}) ORDER BY index) TO '{log}' (FORMAT json)")
    wanted.write_text("".join(f'"account":"{account}"\n' for account in asked["accounts"]))
    rows = sum(1 for _ in log.open("rb"))
    times_s, persons = [], 0
    for _ in range(runs):
        began_s = time.perf_counter()
        persons = _search(log, wanted, asked)
        times_s.append(time.perf_counter() - began_s)
    size = log.stat().st_size
    log.unlink()
    return {"persons": persons, "warm_s": round(median(times_s), 4), "bytes_a_row": round(size / rows), "bytes": size}


def _search(log: Path, wanted: Path, asked: dict[str, Any]) -> int:
    """Lines of these accounts, by grep; those of the window, read."""
    words = ["grep", "-F", "-f", str(wanted), str(log)]
    found = subprocess.run(words, capture_output=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    fields: dict[tuple[str, str], int] = defaultdict(int)
    for line in found.stdout.splitlines():
        entry = json.loads(line)
        if asked["from_us"] <= entry["ts_us"] < asked["to_us"] and entry["fields"]:
            fields[entry["insurer"], entry["reference"]] |= entry["fields"]
    return len(fields)
