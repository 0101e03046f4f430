"""A witness as an insurer runs it: the command, its folder, and HTTP from outside (C2SP tlog-witness)."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer

import httpx
import pytest
from typer.testing import CliRunner

from ecluse.doors.cli.main import complete
from ecluse.journal.checkpoint import Checkpoint, read_checkpoint, signed
from ecluse.journal.cosignature import signers
from ecluse.journal.merkle import EMPTY, consistency_proof, leaf_hash, node_hash
from ecluse.journal.note import Key, Note, read_key, read_note
from ecluse.journal.witness import origin_hash, submission_body
from tests.logs import MadeLog, entry

ECLUSE = Path(sys.executable).parent / "ecluse"
HUB = "hub.example/journal"
ENTRIES = [entry(n) for n in range(1_000)]


class History:
    """A log whose head at any size can be signed again."""

    def __init__(self, shard: str = "2026-11-w0", entries: list[bytes] = ENTRIES) -> None:
        self.log = MadeLog(f"{HUB}/{shard}")
        self.leaves = [leaf_hash(each) for each in entries]

    def hashes(self, height: int, index: int) -> bytes:
        if height == 0:
            return self.leaves[index]
        return node_hash(self.hashes(height - 1, 2 * index), self.hashes(height - 1, 2 * index + 1))

    def note(self, size: int) -> Note:
        grown = MadeLog(self.log.origin, self.log.private).add(ENTRIES[:0])
        for leaf in self.leaves[:size]:
            grown.growing.append(leaf)
        head = Checkpoint(self.log.origin, size, grown.growing.edge.root())
        return signed(head, self.log.key, self.log.private.sign)

    def body(self, old: int, size: int) -> bytes:
        return submission_body(old, consistency_proof(self.hashes, old, size), self.note(size).content)

    @property
    def family(self) -> Key:
        return Key(f"{HUB}/", self.log.key.kind, self.log.key.public)


def run(*words: str) -> str:
    told = CliRunner().invoke(complete(), ["witness", *words], catch_exceptions=False)
    assert told.exit_code == 0
    return told.output


@contextmanager
def serving(directory: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    command = [ECLUSE, "witness", "serve", "--dir", directory, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = re.search(r"http://\S+", process.stderr.readline())
        assert address
        try:
            with httpx.Client(base_url=address[0], timeout=10) as client:
                yield client, process
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def history() -> History:
    return History()


@pytest.fixture(scope="module")
def witness(
    tmp_path_factory: pytest.TempPathFactory, history: History
) -> Iterator[tuple[Path, list[Key], httpx.Client]]:
    directory = tmp_path_factory.mktemp("witness") / "w"
    keys = [read_key(line) for line in run("init", str(directory), "--name", "insurer.example/w").split()]
    assert run("trust", str(directory), history.family.text) == f"watching {HUB}/…\n"
    with serving(directory) as (client, _):
        yield directory, keys, client


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    return client.post("/add-checkpoint", content=body)


def test_heads_that_continue_are_cosigned_by_both_keys_and_given_to_monitors(
    witness: tuple[Path, list[Key], httpx.Client], history: History
) -> None:
    directory, keys, client = witness
    assert client.get(f"/{origin_hash(history.log.origin)}/checkpoint").status_code == 404
    for old, size in [(0, 0), (0, 1), (1, 1), (1, 200), (200, 256), (256, 300)]:
        answer = post(client, history.body(old, size))
        assert answer.status_code == 200, answer.text
        note = history.note(size)
        whole = read_note(note.content + answer.text)
        assert [each.key for each in signers(whole, keys)] == keys
        kept = client.get(f"/{origin_hash(history.log.origin)}/checkpoint")
        assert kept.headers["content-type"] == "text/plain; charset=utf-8"
        assert read_note(kept.text) == whole
        assert [each.key for each in signers(whole, [history.log.key])] == [history.log.key]
    assert (directory / "witness.json").stat().st_mode & 0o777 == 0o600


CASES: dict[str, tuple[int, Callable[[History], bytes]]] = {
    "nothing": (400, lambda _: b""),
    "not UTF-8": (400, lambda _: b"\xff\n\n"),
    "no old size": (400, lambda h: b"\n" + h.note(50).content.encode()),
    "leading zero": (400, lambda h: h.body(0, 50).replace(b"old 0", b"old 00")),
    "negative": (400, lambda h: h.body(0, 50).replace(b"old 0", b"old -1")),
    "old above new": (400, lambda h: submission_body(51, [], h.note(50).content)),
    "64 hashes": (400, lambda h: submission_body(20, [EMPTY] * 64, h.note(50).content)),
    "short hash": (400, lambda h: submission_body(20, [b"short"], h.note(50).content)),
    "no signatures": (400, lambda h: submission_body(20, [], h.note(50).text)),
    "not a checkpoint": (400, lambda h: submission_body(20, [], "text\n\n" + h.note(50).signatures[0].line)),
    "unknown log": (404, lambda _: History("x", ENTRIES).body(0, 50).replace(HUB.encode(), b"other.example")),
    "signed by another": (
        403,
        lambda h: submission_body(20, [], h.note(50).text + "\n" + MadeLog("o").note.signatures[0].line),
    ),
    "wrong signature": (403, lambda h: submission_body(20, [], h.note(49).text + "\n" + h.note(50).signatures[0].line)),
    "old size not the last": (409, lambda h: h.body(10, 50)),
    "nothing seen, it says": (409, lambda h: h.body(0, 50)),
    "wrong proof": (422, lambda h: submission_body(20, consistency_proof(h.hashes, 19, 50), h.note(50).content)),
    "no proof": (422, lambda h: submission_body(20, [], h.note(50).content)),
    "proof for the same size": (422, lambda h: submission_body(20, [EMPTY], h.note(20).content)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_other_answer_of_the_protocol(
    witness: tuple[Path, list[Key], httpx.Client], history: History, case: str
) -> None:
    _, _, client = witness
    status, make = CASES[case]
    shard = History(f"2026-12-w{[*CASES].index(case)}")  # each case has a log of its own, at size 20
    shard.log.private = history.log.private
    assert post(client, shard.body(0, 20)).status_code == 200
    answer = post(client, make(shard))
    assert answer.status_code == status, answer.text
    assert "—" not in answer.text
    if status == 409:
        assert (answer.text, answer.headers["content-type"]) == ("20\n", "text/x.tlog.size")
    last = client.get(f"/{origin_hash(shard.log.origin)}/checkpoint")
    assert read_checkpoint(read_note(last.text).text).size == 20
    assert post(client, shard.body(20, 60)).status_code == 200


def test_two_histories_are_refused_and_the_proof_is_kept(
    witness: tuple[Path, list[Key], httpx.Client], history: History
) -> None:
    directory, _, client = witness
    one, other = History("2027-01-w0"), History("2027-01-w0", [*ENTRIES[:10], entry(9_999), *ENTRIES[11:]])
    one.log.private = other.log.private = history.log.private
    assert post(client, one.body(0, 20)).status_code == 200
    assert post(client, other.body(20, 20)).status_code == 422
    assert post(client, other.body(20, 30)).status_code == 422
    kept = sorted((directory / "refused").glob(f"{origin_hash(one.log.origin)}-*"))
    assert [read_checkpoint(read_note(each.read_text()).text).size for each in kept] == [20, 30]


def test_an_empty_tree_has_one_root_and_needs_no_proof(
    witness: tuple[Path, list[Key], httpx.Client], history: History
) -> None:
    _, _, client = witness
    sign = history.log.private.sign
    key = Key(f"{HUB}/2027-02-w0", history.log.key.kind, history.log.key.public)
    empty = signed(Checkpoint(key.name, 0, EMPTY[::-1]), key, sign)
    assert post(client, submission_body(0, [], empty.content)).status_code == 422
    none = signed(Checkpoint(key.name, 5, EMPTY), key, sign)
    assert post(client, submission_body(0, [EMPTY], none.content)).status_code == 422


def test_other_addresses_and_methods_and_too_much(
    witness: tuple[Path, list[Key], httpx.Client], history: History
) -> None:
    _, _, client = witness
    about = origin_hash(history.log.origin)
    paths = [
        "/",
        "/checkpoint",
        f"/{about}",
        f"/{about[:-1]}/checkpoint",
        "/../witness.json/checkpoint",
        f"/{about}/checkpoint/",
    ]
    assert {client.get(path).status_code for path in paths} == {404}
    assert client.get("/add-checkpoint").status_code == 405
    assert client.post(f"/{about}/checkpoint").status_code in (404, 405)
    assert post(client, b"old 0\n\n" + b"x" * (300 << 10)).status_code == 413


def test_who_submits_half_keeps_nobody_out(witness: tuple[Path, list[Key], httpx.Client]) -> None:
    _, _, client = witness
    half = b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold 0\n"
    address = (client.base_url.host, client.base_url.port or 80)
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(address, timeout=5)).sendall(half)
        time.sleep(0.3)
        assert post(client, b"").status_code == 400


def test_a_head_without_end_is_not_kept(witness: tuple[Path, list[Key], httpx.Client]) -> None:
    _, _, client = witness
    with (
        socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=5) as endless,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        endless.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + bytes([97]) * (8 << 20))
    assert client.get("/").status_code == 404


def test_requests_that_race_never_take_the_witness_back(
    witness: tuple[Path, list[Key], httpx.Client], history: History
) -> None:
    _, _, client = witness
    racing = History("2028-01-w0")
    racing.log.private = history.log.private
    assert post(client, racing.body(0, 100)).status_code == 200
    bodies = {size: racing.body(100, size) for size in range(101, 141)}
    with ThreadPoolExecutor(16) as pool:
        answers = dict(zip(bodies, pool.map(lambda body: post(client, body).status_code, bodies.values()), strict=True))
    won = [size for size, status in answers.items() if status == 200]
    assert len(won) == 1
    assert set(answers.values()) == {200, 409}
    last = client.get(f"/{origin_hash(racing.log.origin)}/checkpoint").text
    assert read_checkpoint(read_note(last).text).size == won[0]


def test_a_killed_witness_remembers_all_it_signed(tmp_path: Path) -> None:
    history, directory, size = History(), tmp_path / "w", 0
    run("init", str(directory), "--name", "insurer.example/w")
    run("trust", str(directory), history.log.key.text)
    for life_s in (0.1, 0.13, 0.17, 0.2):
        with serving(directory) as (client, process):
            told = post(client, history.body(0, size + 1)).text
            size = int(told) if size else 1  # what was written and not answered counts, too
            Timer(life_s, process.kill).start()
            signed_until = grow(client, history, size)
        kept = (directory / "logs" / origin_hash(history.log.origin)).read_text()
        assert read_checkpoint(read_note(kept).text).size in (signed_until, signed_until + 1)
        assert signed_until > size
        size = signed_until


def grow(client: httpx.Client, history: History, size: int) -> int:
    """Submit one entry more each time until nobody answers; the last size that was signed."""
    try:
        while post(client, history.body(size, size + 1)).status_code == 200:
            size += 1
    except httpx.TransportError:
        pass
    return size
