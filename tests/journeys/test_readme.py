"""The README's walk by hand, run line by line as it stands: what a new user would type."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def typed() -> str:
    """What follows the `$ ` of the chapter "By hand", with continuation lines and without the answers shown."""
    chapter = (ROOT / "README.md").read_text().split("## By hand")[1].split("## Read on")[0]
    lines: list[str] = []
    for block in re.findall(r"```console\n(.*?)```", chapter, re.S):
        taking = False
        for line in block.splitlines():
            taking = line.startswith("$ ") or (taking and line.startswith("    "))
            if taking:
                lines.append(line.removeprefix("$ "))
    return "\n".join(lines)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def script(home: Path) -> str:
    """The walk in a directory and on a port of its own, waiting for the server, stopping it at the end."""
    port = str(free_port())
    walk = typed().replace("/tmp/my-hub", str(home / "hub")).replace("/tmp/", f"{home}/").replace("8400", port)
    ready = f"for i in $(seq 100); do curl -sf localhost:{port}/readyz >/dev/null && break; sleep 0.1; done"
    walk = re.sub(r"^(ecluse serve .*&)$", rf"\1\n{ready}", walk, flags=re.M)
    return f"set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{walk}\n"


@pytest.mark.usefixtures("store_url")
def test_the_walk_by_hand_works_as_written() -> None:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            ["bash", "-c", script(Path(home))],
            capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert '"outcome":"confirmed"' in done.stdout
        assert '"amc_cents":2795' in done.stdout
        assert '"status":"accepted"' in done.stdout
        assert re.search(r'"total_cents":\s*2795', done.stdout), "the remittance is the transfer"
        assert "pain.001" in done.stdout
