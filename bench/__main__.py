"""Every bench, one after the other: `python -m bench`, or `python -m bench rights quote` for some of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHES = (
    "quote",
    "coverage",
    "quotes",
    "append",
    "verify",
    "feed",
    "identity",
    "counters",
    "checks",
    "gate",
    "rights",
    "claims",
    "payments",
    "people",
    "failover",
    "lake",
    "detectors",
    "dated",
    "timing",
    "lists",
    "packs",
    "letters",
)


def main() -> None:
    """Run the benches named, or all; each in a process of its own, so that none warms another."""
    wanted = sys.argv[1:] or [name for name in BENCHES if Path(__file__).with_name(f"{name}.py").exists()]
    unknown = sorted(set(wanted) - set(BENCHES))
    if unknown:
        raise SystemExit(f"no bench named {', '.join(unknown)}; there is {', '.join(BENCHES)}")
    for name in wanted:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)


if __name__ == "__main__":
    main()
