"""A real OpenID provider (npm oidc-provider) and clients that are not ours (oauth4webapi, dpop), against a hub that answers.

`make peers` installs them, in the versions of tests/peers/oidc/package-lock.json.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.certificates import certificate
from tests.journeys.site import Site, question
from tests.journeys.test_nginx import free_port

PEERS = Path(__file__).parents[1] / "peers" / "oidc"
NODE = shutil.which("node")
NODE_MAJOR_MIN = 20  # oidc-provider needs `crypto.hash`
CHECKS = "/v1/rights/checks"
STOLEN = (
    ("thief", "invalid_dpop_proof", "invalid_dpop_proof"),
    ("bearer", "unauthenticated", "invalid_token"),
)


def too_old() -> bool:
    """Whether there is no node here that the provider runs on."""
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=False).stdout if NODE else ""
    return not told or int(told.removeprefix("v").partition(".")[0]) < NODE_MAJOR_MIN


pytestmark = pytest.mark.skipif(too_old(), reason="node 20 is not here: apt-get install nodejs npm, then make peers")


class Provider:
    """The provider on one port; each start draws a new key."""

    def __init__(self) -> None:
        assert (PEERS / "node_modules").is_dir(), "its libraries are not installed: make peers"
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self, client: dict[str, Any] | None = None, features: dict[str, Any] | None = None) -> None:
        """Start it, with one more client, and what it can do beside."""
        told = [json.dumps(each) if each else "" for each in (client, features)]
        words = [NODE or "", str(PEERS / "provider.mjs"), str(self.port), *told]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout
        while (line := self._process.stdout.readline()) != "ready\n":
            assert line, "the provider did not start"

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=10)
            self._process = None


class World:
    """The provider, and a hub that trusts it: the level of a person's login must be `eidas2`."""

    def __init__(self, directory: Path) -> None:
        self.provider = Provider()
        trusted = {"name": self.provider.issuer, "audience": "ecluse", "subjects": ["rpps"], "acr_values": ["eidas2"]}
        self.hub = Site(
            directory, ECLUSE_ISSUERS=json.dumps([trusted]), ECLUSE_HTTP_CERTIFICATE_HEADER="X-Client-Certificate"
        )

    def play(self, what: str, *more: str) -> Any:
        """What the clients were told."""
        words = [
            NODE or "",
            str(PEERS / "client.mjs"),
            self.provider.issuer,
            self.hub.url,
            json.dumps(question()),
            what,
        ]
        done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, token: str, certificate: str = "") -> int:
        """What somebody is told who has this token, and whose certificate the proxy wrote."""
        headers = {"Authorization": f"Bearer {token}", **({"X-Client-Certificate": certificate} if certificate else {})}
        return httpx.post(self.hub.url + CHECKS, json=question(), headers=headers).status_code


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("oidc") / "hub")
    made.hub.run("init", str(made.hub.directory))  # it serves no insurer: who is let in hears `not_confirmed`
    made.provider.start()
    made.hub.start()
    yield made
    made.hub.stop()
    made.provider.stop()


def test_software_gets_a_bound_token_and_is_answered_and_nobody_else_is(world: World) -> None:
    told = world.play("software")
    assert told["token_type"] == "dpop"
    assert [(each["status"], each["body"].get("outcome")) for each in told["answers"]] == [(200, "not_confirmed")] * 2
    for stolen, code, error in STOLEN:
        refused = told[stolen]
        assert (refused["status"], refused["body"]["code"]) == (401, code)
        assert refused["challenges"][0]["parameters"]["error"] == error


def test_proofs_of_every_algorithm_are_taken_once(world: World) -> None:
    assert world.play("proofs") == {each: [401, 200, 401] for each in ("ES256", "Ed25519", "PS256")}


def test_a_person_who_logged_in_too_weakly_is_told_how_to_come_back(world: World) -> None:
    told = world.play("person")
    refused = told["refused"]
    assert (refused["status"], refused["body"]["code"]) == (401, "insufficient_user_authentication")
    assert refused["challenges"][0]["parameters"]["acr_values"] == "eidas2"
    assert (told["accepted"]["status"], told["accepted"]["body"]["outcome"]) == (200, "not_confirmed")


def test_certificates_bind_keys_rotate_and_the_hub_starts_while_the_provider_is_away(world: World) -> None:
    own, others = (quote(certificate().certificate.decode(), safe="") for _ in "12")
    token = world.play("certificate", own)["token"]
    assert [world.ask(token, each) for each in (own, others, "")] == [200, 401, 401]
    world.provider.stop()
    assert world.hub.stop() == 0
    world.hub.start()
    assert world.ask(token, own) == 200
    world.provider.start()
    rotated = world.play("certificate", own)["token"]
    assert [world.ask(rotated, each) for each in (own, others)] == [200, 401]
    assert world.ask(token, own) == 401  # its key is gone
