"""A journal verified from its entries up: `ecluse journal verify` on a log of a million entries of their usual size.

On an envelope, for an entry: 1 µs to decode, 1 µs for its hash, 1 µs for a node of the tree, 0.5 µs to read; 256 of them share
the comparison with a tile. Budget: 1,000,000 entries in 10 s.

Beside it, in the same run: the SHA-256 of each entry alone, which nobody who verifies can do without.

    python -m bench.verify [--entries 1000000] [--json] [--keep]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.append import entry
from bench.results import keep
from ecluse.app.verification import verify_journal
from ecluse.engines.journal_files import LocalFiles
from ecluse.engines.local import LocalLog
from ecluse.engines.local.registry import Signer
from ecluse.journal.entry import encode
from ecluse.journal.note import ED25519, Key

BUDGET_S_PER_MILLION = 10.0
ORIGIN = "bench.invalid/journal"
BATCH = 512  # as the desk writes at its fullest
DISTINCT = 10_000  # entries drawn; repeating them costs a verifier the same


def write(directory: Path, count: int, private: Ed25519PrivateKey) -> None:
    """A log of so many entries, as the hub writes it."""
    public = private.public_key().public_bytes_raw()
    log = LocalLog(directory, Signer(ORIGIN, lambda: public, private.sign), lambda: datetime.now(UTC))
    drawn = [encode(entry()) for _ in range(min(DISTINCT, count))]
    for at in range(0, count, BATCH):
        log.append([drawn[n % len(drawn)] for n in range(at, min(at + BATCH, count))])
    log.close()


def hashed_s(count: int) -> float:
    """How long the entries' hashes alone take."""
    encoded = encode(entry())
    started_s = time.perf_counter()
    for _ in range(count):
        sha256(b"\x00" + encoded).digest()
    return time.perf_counter() - started_s


def measure(count: int) -> dict[str, float]:
    """Write a log, verify it; seconds, and how many times the hashes alone."""
    private = Ed25519PrivateKey.generate()
    key = Key(f"{ORIGIN}/", ED25519, private.public_key().public_bytes_raw())
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory), count, private)
        started_s = time.perf_counter()
        found = verify_journal(LocalFiles(Path(directory)), [key])
        verified_s = time.perf_counter() - started_s
    assert not found.faults
    alone_s = hashed_s(count)
    return {"entries": count, "verified_s": verified_s, "hashes_s": alone_s, "ratio": verified_s / alone_s}


def main() -> None:
    """Measure, print, and fail past the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.entries)
    if asked.keep:
        keep(f"verify-{asked.entries}", found)
    told = "{entries:,} entries verified in {verified_s:.1f} s; their hashes alone {hashes_s:.1f} s, ratio {ratio:.1f}"
    print(json.dumps(found) if asked.json else told.format(**found))
    if found["verified_s"] > BUDGET_S_PER_MILLION * max(0.1, asked.entries / 1_000_000):
        raise SystemExit("over budget")


if __name__ == "__main__":
    main()
