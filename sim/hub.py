"""The real hub, driven as its operator would: its commands (in this process, to save their start), its server as a process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from typer.main import get_command

from ecluse.doors.cli.main import complete
from ecluse.gate.identity import Account
from ecluse.settings import read_settings
from ecluse.wiring import open_hub
from sim import exchange
from sim.exchange import Exchange
from sim.logins import HEADER, Login, Logins
from sim.player import BAD_TOKEN, token_kinds
from sim.professionals import Professional

HERE = "127.0.0.1"
Address = tuple[str, int]
READY_S = 30  # a start takes a second; more on a machine that is busy
STOP_S = 30
PROGRAM = "from ecluse.doors.cli.main import run; run()"
SERVED = {
    "ECLUSE_HTTP_ADDRESS_HEADER": HEADER,  # the player says whose address it is, as nginx would
    "ECLUSE_GATE_DETECTORS": "off",  # a year played in minutes, with every answer provoked on purpose, is a theft
}


class CommandFailed(Exception):  # noqa: N818 - past participles for what happened
    """A command of the hub was refused or broke."""


def command(*words: str) -> Any:
    """Run one command of the hub with `--json`; gives what it prints. Raises `Refused` as the command does."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings(action="ignore"):
        code = _commands()(args=[*words, "--json"], standalone_mode=False)
    if code not in (None, 0):
        raise CommandFailed(f"ecluse {' '.join(words)}: exit code {code}")
    return json.loads(said.getvalue()) if said.getvalue().strip() else None


@cache
def _commands() -> Callable[..., Any]:
    """The command line, built once: a fifth of a second, which is more than most commands take."""
    return get_command(complete())


def make(directory: Path) -> None:
    """A new hub in `directory`, with the made-up bank account that its settings come with."""
    command("init", str(directory))


def stores(directory: Path) -> list[str]:
    """Where the hub keeps its tables, as URLs with whole paths: claims and money first, then servers of rights."""
    settings = read_settings(directory).store
    scheme, _, place = settings.url.partition(":")
    home = f"{scheme}:{directory / place}" if scheme == "sqlite" else settings.url
    return [home, *settings.servers.values()]


def introduce(directory: Path, professionals: Iterable[Professional]) -> None:
    """Let the development issuer know who practises where: `ecluse dev token --account …` needs no more."""
    with warnings.catch_warnings(action="ignore"), open_hub(directory) as hub:
        hub.remember_accounts({who.account: (who.practice.number, who.trade.profession) for who in professionals})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


def start(
    directory: Path,
    port: int,
    log: Path,
    program: str = PROGRAM,
    module: str = "",
    said_by_env: Mapping[str, str] = SERVED,
) -> subprocess.Popen[bytes]:
    """The server of the hub as a process of its own, once it is ready; `module` in the place of `program`, where there is one.

    Raises `CommandFailed`.
    """
    words = [sys.executable, *(("-m", module) if module else ("-c", program))]
    words += ["serve", "--dir", str(directory), "--port", str(port)]
    with log.open("ab") as said:
        server = subprocess.Popen(words, stdout=said, stderr=said, env={**os.environ, **said_by_env})
    try:
        wait_until_ready(port, server, log)
    except CommandFailed:
        server.kill()
        raise
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server; one that does not is killed."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()


def wait_until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return once `/readyz` answers 200. Raises `CommandFailed` when the server ends or is too slow."""
    for _ in range(READY_S * 20):
        with contextlib.suppress(OSError), contextlib.closing(HTTPConnection(HERE, port, timeout=5)) as line:
            line.request("GET", "/readyz")
            if line.getresponse().status == 200:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise CommandFailed(f"the server is not ready: see {log}")


class Operator:
    """Who runs the hub: commands in this process, the server beside it. Tests put another here, under whom things break."""

    is_on_time = True  # the hub's clock is ours; else nothing is asked about instants
    program = PROGRAM  # what the server's process runs
    module = ""  # or this one
    settings: Mapping[str, str] = SERVED
    patience_s = 0.0  # how long a desk sends again what was cut or put off; the first time is a failure here

    def command(self, *words: str) -> Any:
        """What `command` gives."""
        return command(*words)

    @contextlib.contextmanager
    def serving(self, directory: Path, log: Path) -> Iterator[Address]:
        """The server of the hub, ready; gives its address. It is stopped at the end."""
        port = free_port()
        server = start(directory, port, log, self.program, self.module, self.settings)
        try:
            yield HERE, port
        finally:
            stop(server)

    def playing(self) -> AbstractContextManager[None]:
        """Around the exchanges of a day."""
        return nullcontext()


class Tokens:
    """Access tokens of the development issuer, one for each login, signed when first asked for."""

    def __init__(self, directory: Path, staff: dict[str, Professional], logins: Logins) -> None:
        with warnings.catch_warnings(action="ignore"), open_hub(directory) as hub:
            self.issuer = hub.development_issuer()
            self.now_ts = int(hub.clock.now().timestamp())
        self.staff, self.logins = staff, logins
        self.signed: dict[str, str] = {}

    def __call__(self, planned: Exchange) -> str:
        """The token that this exchange is sent with; empty for none."""
        if planned.token == exchange.NO_TOKEN:
            return ""
        if planned.token == exchange.BAD_TOKEN:
            return BAD_TOKEN
        return self._signed(planned.account, planned.token, self.logins(planned))

    def of(self, account: str) -> str:
        """A token of this account for all that its software may do, as of a login in the morning."""
        return self._signed(account, exchange.FULL, self.logins.of(account, exchange.FULL, after_noon=False))

    def fresh(self, account: str, now_ts: int) -> str:
        """A token of this account, of a login in the morning, as the software renews it."""
        login = self.logins.of(account, exchange.FULL, after_noon=False)
        return self.issuer.token(self._holder(account, exchange.FULL, login), now_ts)

    def _signed(self, account: str, kind: str, login: Login) -> str:
        if login.session not in self.signed:
            holder = self._holder(account, kind, login)
            self.signed[login.session] = self.issuer.token(holder, self.now_ts)
        return self.signed[login.session]

    def _holder(self, account: str, kind: str, login: Login) -> Account:
        who, scopes = self.staff[account], frozenset(token_kinds()[kind].split())
        return Account(
            account, who.practice.number, who.trade.profession, "", scopes,
            software=login.software, session=login.session,
        )  # fmt: skip
