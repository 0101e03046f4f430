"""Figures worth keeping, with the day, the machine and what it ran: `bench/results/<day>-<bench>-<store>-<size>.json`.

Kept when asked for (`--keep`): runs that take long, such as those of 33 million people, are not made again at each change.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).with_name("results")


def keep(name: str, figures: dict[str, Any]) -> Path:
    """Write the figures of one run; where."""
    HERE.mkdir(exist_ok=True)
    file = HERE / f"{datetime.now(UTC).date()}-{name}.json"
    file.write_text(json.dumps({**figures, "machine": machine()}, indent=1) + "\n")
    return file


def machine() -> dict[str, Any]:
    """What it ran on. `load_1min` above a run's own share says that others used the machine too."""
    postgres = shutil.which("postgres") or next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), None)
    version = (
        subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=False) if postgres else None
    )
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "processor": _processor(),
        "python": platform.python_version(),
        "interpreter": str(
            Path(sys.executable).resolve()
        ),  # how it was built is a fifth of the speed and more (docs/operations.md)
        "postgresql": version.stdout.strip() if version else "",
        "load_1min": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
