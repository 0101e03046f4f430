"""A hub and its witness, each in a process of its own: heads are signed from outside, a journal that went back is found out."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.cosignature import signers
from ecluse.journal.merkle import root
from ecluse.journal.note import Key, read_key, read_note
from ecluse.journal.policy import keys_for
from ecluse.journal.tiles import hashes_of
from ecluse.journal.witness import origin_hash
from tests.contract.test_witness import run, serving
from tests.journeys.site import Site, question

WAIT_S = 20.0


def until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


class Watched:
    """A hub that is served and watched."""

    def __init__(self, site: Site, folder: Path, keys: list[Key], witness: httpx.Client) -> None:
        self.site = site
        self.folder = folder
        self.keys = keys
        self.witness = witness
        self.family = read_key(site.run("journal", "key").stdout)

    def ask(self, times: int) -> None:
        with self.site.client() as client:
            for _ in range(times):
                assert client.post("/v1/rights/checks", json=question()).status_code == 200

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.site.url}{path}")

    def cosigned_size(self) -> int:
        """The size of the published head, once the witness has signed it; else 0."""
        note = read_note(self.get("/journal/checkpoint").text)
        return read_checkpoint(note.text).size if signers(note, self.keys) else 0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    place = tmp_path_factory.mktemp("watched")
    keys = [read_key(line) for line in run("init", str(place / "w"), "--name", "mutuelle.example/w").split()]
    with serving(place / "w") as (client, _):
        told = [{"url": str(client.base_url), "vkey": keys[0].text}]
        site = Site(place / "hub", ECLUSE_JOURNAL_WITNESSES=json.dumps(told), ECLUSE_JOURNAL_WITNESS_S="1")
        site.make()
        site.load([{}])
        run("trust", str(place / "w"), site.run("journal", "key").stdout.strip())
        site.start()
        yield Watched(site, place / "w", keys[:1], client)
        if site.process:
            site.stop()


def test_the_published_head_is_signed_by_hub_and_witness_and_its_tiles_give_its_root(watched: Watched) -> None:
    watched.ask(5)
    until(lambda: watched.cosigned_size() >= 6)
    (shard,) = [each["name"] for each in watched.get("/journal/shards.json").json() if each["name"].endswith("-w0")]
    answer = watched.get(f"/journal/{shard}/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"
    note = read_note(answer.text)
    head = read_checkpoint(note.text)
    log_keys = keys_for(head.origin, [watched.family])
    assert [each.key for each in signers(note, log_keys)] == log_keys != []
    read = hashes_of(lambda name: watched.get(f"/journal/{shard}/{name}").content, head.size)
    assert root(read, head.size) == head.root
    tile = watched.get(f"/journal/tile/0/000.p/{head.size}")
    assert tile.headers["content-type"] == "application/octet-stream"
    assert "immutable" in tile.headers["cache-control"]
    assert watched.witness.get(f"/{origin_hash(head.origin)}/checkpoint").text.startswith(head.origin)


@pytest.mark.parametrize(
    "path",
    [
        "tile/entries/000.p/1",
        "tile/entries/000",
        "{shard}/tile/entries/000.p/1",
        "{shard}/head",
        "{shard}/cosigned",
        "{shard}/wal/00000000000000000000.seg",
        "{shard}/tile/0/../../head",
        "{shard}/%2e%2e/shards.json",
        "..%2f..%2fecluse.toml",
        "{shard}/tile/64/000",
        "{shard}/tile/00/000",
        "{shard}/tile/0/0",
        "{shard}/tile/0/000.p/0",
        "{shard}/tile/0/000.p/256",
        "{shard}/tile/0/000.p/01",
        "{shard}/tile/0/999",
        "{shard}/tile/0/000/",
        "{shard}",
        "w0.lock",
        "witnesses.json",
        "1999-01-w0/checkpoint",
        "",
    ],
)
def test_nothing_else_is_published(watched: Watched, path: str) -> None:
    shard = watched.get("/journal/shards.json").json()[0]["name"]
    answer = watched.get(f"/journal/{path.format(shard=shard)}")
    assert answer.status_code == 404


def test_entries_are_nowhere_in_what_is_published(watched: Watched) -> None:
    shown = watched.get("/journal/shards.json").text
    assert set(json.loads(shown)[0]) <= {"name", "key", "state", "size", "root", "pruned"}


def test_doctor_metrics_and_verify_tell_of_the_witness(watched: Watched) -> None:
    until(lambda: 'outcome="cosigned"' in watched.get("/metrics").text)
    found = json.loads(watched.site.run("doctor", "--json", check=False).stdout)
    (told,) = [each for each in found["checks"] if each["check"] == "witnesses"]
    assert told["verdict"] == "ok"
    verified = watched.site.json("journal", "verify")
    assert verified["sound"] is True
    assert any(each["witnesses"] == ["mutuelle.example/w"] for each in verified["shards"])


def test_a_journal_that_went_back_is_found_out_by_its_witness(watched: Watched) -> None:
    """Somebody stops the hub, brings an old copy of the journal and of the second home back, and goes on."""
    site = watched.site
    assert site.stop() == 0
    for name in ("journal", "heads"):
        shutil.copytree(site.directory / name, site.directory.parent / "old" / name)
    site.start()
    watched.ask(4)
    size = watched.cosigned_size()
    until(lambda: watched.cosigned_size() >= size + 4 or watched.cosigned_size() > size)
    assert site.stop() == 0
    newest = sorted((watched.folder / "logs").glob("*"))
    for part in (
        *site.directory.glob("engagements.db*"),
        *site.directory.glob("gate.db*"),
    ):  # they know how far it went, too
        part.unlink()
    for name in ("journal", "heads"):
        shutil.rmtree(site.directory / name)
        shutil.copytree(site.directory.parent / "old" / name, site.directory / name)
    site.start()
    watched.ask(1)
    until(lambda: any("witness_alarm" in line["event"] for line in site.lines()))
    watched.ask(12)
    until(lambda: 'outcome="refused"' in watched.get("/metrics").text)
    found = site.run("doctor", "--json", check=False)
    (told,) = [each for each in json.loads(found.stdout)["checks"] if each["check"] == "witnesses"]
    assert (found.returncode, told["verdict"]) == (2, "wrong")
    assert (watched.folder / "refused").is_dir()
    with_head = [site.run("journal", "verify", "--head", str(each), check=False).returncode for each in newest]
    assert 2 in with_head
