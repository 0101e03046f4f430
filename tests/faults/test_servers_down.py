"""Three servers, one down: its insurers are refused in words, the others go on; it comes back by itself, engagements and all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults.traffic import asked, bill, people
from tests.journeys.site import PRODUCT, Site
from tests.servers import Server, started

INSURERS = {"home": "0075000001", "north": "0075000002", "south": "0075000003"}
BACK_S = 30


@dataclass
class Three:
    """Three servers by name, each with an insurer, and the hub."""

    site: Site
    servers: dict[str, Server]
    databases: dict[str, str]

    def check(self, name: str, n: int = 0) -> httpx.Response:
        """Ask about somebody of the insurer on that server."""
        with self.site.client() as client:
            return client.post("/v1/rights/checks", json=asked(n, INSURERS[name]))

    def confirmed(self, name: str, n: int = 0) -> dict[str, object]:
        """The answer, once the server is back."""
        until_s = time.monotonic() + BACK_S
        while (reply := self.check(name, n)).status_code != 200:
            assert time.monotonic() < until_s, reply.text
            time.sleep(0.02)
        answer: dict[str, object] = reply.json()
        assert answer["outcome"] == "confirmed"
        return answer

    def kept(self, name: str) -> int:
        """How many engagements that server has."""
        return int(self.servers[name].sql("SELECT count(*) FROM engagement", self.databases[name]))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """A hub on three servers."""
    directory = tmp_path_factory.mktemp("three")
    with ExitStack() as stack:
        servers = {name: stack.enter_context(started()) for name in INSURERS}
        databases = {name: server.fresh() for name, server in servers.items()}
        urls = {name: server.url(databases[name]) for name, server in servers.items()}
        others = ", ".join(f'"{name}": "{urls[name]}"' for name in ("north", "south"))
        placed = ", ".join(f'"{INSURERS[name]}": "{name}"' for name in ("north", "south"))
        site = Site(
            directory / "hub",
            ECLUSE_STORE_URL=urls["home"],
            ECLUSE_STORE_SERVERS=f"{{{others}}}",
            ECLUSE_STORE_INSURERS=f"{{{placed}}}",
        )
        site.run("init", str(site.directory))
        (directory / "base.yaml").write_text(PRODUCT)
        for insurer in INSURERS.values():
            site.run("product", "load", str(directory / "base.yaml"), "--insurer", insurer)
            file = write(directory, insurer)
            assert site.json("feed", "load", str(file), "--insurer", insurer, "--full")["state"] == "loaded"
        site.start()
        yield Three(site, servers, databases)
        site.stop()


def write(directory: Path, insurer: str) -> Path:
    """The member file of an insurer."""
    from tests.journeys.site import HEADER, MEMBER

    file = directory / f"{insurer}.csv"
    rows = [{**MEMBER, **each} for each in people(insurer)]
    file.write_text("\n".join([HEADER, *(",".join(each.values()) for each in rows)]) + "\n")
    return file


def test_a_server_that_is_down_refuses_its_insurers_alone_and_comes_back(three: Three) -> None:
    for name in INSURERS:
        three.confirmed(name)
    for down in INSURERS:
        three.servers[down].kill()
        refused = three.check(down)
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.headers["retry-after"], bool(refused.json()["fix"])) == ("1", True)
        for name in INSURERS.keys() - {down}:
            for n in range(3):
                assert three.check(name, n).json()["outcome"] == "confirmed"
        three.servers[down].start()
        bill(three.site, [three.confirmed(down)])


def test_what_a_server_lacks_when_it_is_back_is_copied_from_the_journal(three: Three) -> None:
    """Down while the hub starts; and lost what it had, as one that was restored: both are filled again by a hub that answers."""
    given = [three.confirmed("south", n) for n in range(5)]
    three.site.stop()
    three.servers["south"].sql("DELETE FROM engagement; DELETE FROM mark", three.databases["south"])
    three.servers["south"].kill()
    three.site.start()
    given += [three.confirmed("north")]
    three.servers["south"].start()
    three.confirmed("south")
    filled(three, given)
    three.servers["south"].sql("DELETE FROM engagement; DELETE FROM mark", three.databases["south"])
    three.confirmed("south")  # written at once, with a mark that must not hide what is missing before it
    filled(three, given)


def filled(three: Three, given: list[dict[str, object]]) -> None:
    """Soon every engagement is found."""
    until_s = time.monotonic() + BACK_S
    while three.kept("south") < 6:
        assert time.monotonic() < until_s, three.kept("south")
        time.sleep(0.05)
    bill(three.site, given)


def test_a_hub_starts_while_its_home_is_down_and_answers_once_it_is_back(three: Three) -> None:
    given = three.confirmed("south")
    three.site.stop()
    three.servers["home"].kill()
    with pytest.raises(AssertionError):
        three.site.start()  # /readyz says that it is not ready
    three.servers["home"].start()
    for name in INSURERS:
        three.confirmed(name)
    bill(three.site, [given])
