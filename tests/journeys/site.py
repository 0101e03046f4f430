"""A hub as its users meet it: a directory made by `ecluse init`, commands, and a server in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from tests.commands import Begun, ecluse

ECLUSE = str(Path(sys.executable).with_name("ecluse"))
READY_S = 30  # a start takes a second; more on a machine that is busy
AMC = "0075123456"
PRACTICE = "370000028"
DOCTOR = "rpps:10000000001"
HEADER = (
    "insurer,member_number,nir,birth_date,birth_rank,contract,product,domains,valid_from,valid_to,"
    "convention_type,csr,responsible,priority"
)
PRODUCT = """product: BASE
label: Formule de base
responsible: false
guarantees:
  - {domains: [MED], acts: [CS], guarantee: "BR_INCL:200", label: Consultation de spécialiste}
  - {domains: [MED, PHAR], guarantee: "TM:100", label: Ticket modérateur}
"""
MEMBER = {
    "insurer": AMC, "member_number": "M1", "nir": "279067505612357", "birth_date": "1979-06-14", "birth_rank": "1",
    "contract": "C1", "product": "BASE", "domains": "MED PHAR", "valid_from": "2020-01-01", "valid_to": "",
    "convention_type": "SV", "csr": "0001", "responsible": "true", "priority": "1",
}  # fmt: skip


class Site:
    """One hub. `start` runs its server on a free port; every command can be run while it does."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        # One doctor asks about everybody, by machine: a theft. Tests of the detectors turn them on, and start one process more.
        unwatched = {"ECLUSE_GATE_DETECTORS": "off"}
        self.environment = {**os.environ, "ECLUSE_DIR": str(directory), **unwatched, **environment}
        self.process: Begun | None = None
        self.url = ""

    def run(self, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `ecluse` with these words."""
        done = ecluse(words, self.environment, stdin)
        assert not check or done.returncode == 0, f"ecluse {' '.join(words)}: {done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.run(*words, "--json").stdout)

    def make(self) -> None:
        """`ecluse init`, and one product."""
        self.run("init", str(self.directory))
        file = self.directory.parent / "base.yaml"
        file.write_text(PRODUCT)
        self.run("product", "load", str(file), "--insurer", AMC)

    def load(self, members: Iterable[Mapping[str, str]], mode: str = "--full") -> Any:
        """Write a member file and load it; the summary."""
        file = self.directory.parent / f"members-{os.urandom(4).hex()}.csv"
        rows = [{**MEMBER, **each} for each in members]
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.json("feed", "load", str(file), "--insurer", AMC, mode)

    @property
    def log(self) -> Path:
        """What the server said on stderr."""
        return self.directory.parent / f"{self.directory.name}.log"

    def lines(self) -> list[dict[str, Any]]:
        """The server's structured log lines so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def start(self, workers: int = 1, port: int = 0) -> None:
        """Start the server; returns when it answers."""
        command = ("serve", "--port", str(port), "--workers", str(workers))
        with Path(os.devnull).open("r+") as nothing, self.log.open("w") as said:
            self.process = Begun(command, self.environment, (nothing, nothing, said))
        deadline_s = time.monotonic() + READY_S
        while not (address := re.search(r"http://[\d.]+:\d+", self.log.read_text())):
            assert time.monotonic() < deadline_s, "the server did not say where it answers"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        self.url = address[0]
        with httpx.Client(transport=httpx.HTTPTransport(retries=20), timeout=READY_S) as client:
            ready = client.get(f"{self.url}/readyz")
        assert ready.status_code == 200, ready.text + self.log.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop the server; its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.process, self.url = None, ""
        return code

    def token(
        self,
        account: str = DOCTOR,
        *,
        practice: str = PRACTICE,
        scope: str = "rights claims remittances",
        insurer: str = "",
    ) -> str:
        """A token of the development issuer."""
        words = ["dev", "token", "--account", account, "--practice", practice, "--scope", scope]
        return self.run(*words, *(["--insurer", insurer] if insurer else [])).stdout.strip()

    @cached_property
    def own_token(self) -> str:
        """The doctor's token, made once: a command takes most of a second."""
        return self.token()

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client that asks as the doctor, or with `token` (empty: with none)."""
        token = self.own_token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


def question(**changes: Any) -> dict[str, Any]:
    """The rights question about `MEMBER`, as of today, with changes (`beneficiary` merges)."""
    beneficiary = {"nir": MEMBER["nir"], "birth_date": MEMBER["birth_date"], "birth_rank": 1}
    beneficiary |= changes.pop("beneficiary", {})
    asked = {"insurer": AMC, "beneficiary": beneficiary, "care_date": today(), "domain": "MED", "pass": None, **changes}
    asked["beneficiary"] = {name: value for name, value in asked["beneficiary"].items() if value is not None}
    return asked


def todays_line(**changes: Any) -> dict[str, Any]:
    """A line of today's care, with changes. Asked for when it is sent, for midnight may pass while tests run."""
    line = {"line": 1, "act": "CS", "date": today(), "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}
    return {**line, **changes}


def today() -> str:
    """The day it is in Paris."""
    from datetime import datetime

    from ecluse.kernel.days import PARIS

    return datetime.now(PARIS).date().isoformat()
