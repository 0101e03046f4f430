"""Bodies and heads that come slowly, without end or not at all, on real sockets: they are refused, and others are answered."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import uvicorn

from ecluse.doors.http import connections, front, slow_bodies
from ecluse.doors.http.connections import HEAD_BYTES_MAX, Connection
from ecluse.doors.http.front import Front
from ecluse.doors.http.meters import REGISTRY
from ecluse.doors.http.slow_bodies import Bodies
from ecluse.engines.clock import RandomIds

PLACES = 2
BODY_BYTES_MAX = 300_000
SOON_S = 0.3
LONG_BYTES = 8 << 20  # more than the sockets of both sides hold


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers how many bytes its body had, and in how many pieces they came."""
    size, pieces, more = 0, 0, scope["method"] != "GET"
    while more:
        message = await receive()
        size, pieces, more = size + len(message["body"]), pieces + 1, message["more_body"]
    said = json.dumps({"size": size, "pieces": pieces}).encode()
    head = [(b"content-length", str(len(said)).encode())]
    if scope["path"] == "/long":
        head, said = [], bytes(LONG_BYTES)
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": said})


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    """`echo`, and a refusal is answered, as the framework does."""
    try:
        await echo(scope, receive, send)
    except front.Refused as refused:
        await front.send_problem(refused, scope, send)


class Answering(threading.Thread):
    """A server of one process, answering by `refusing` behind the front."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        streams, kept = {"/stream"}, Bodies({"/small": 10}, BODY_BYTES_MAX)
        application: Any = Front(refusing, {}, PLACES, RandomIds(), kept, streams=streams, log_requests="none")
        self.server = uvicorn.Server(
            uvicorn.Config(application, http=Connection, log_config=None, server_header=False, lifespan="off")
        )

    def run(self) -> None:
        asyncio.run(self.server.serve([self.listening]))

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.join()
        self.listening.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """What waits for ten seconds and for a minute waits for a moment here."""
    monkeypatch.setattr(slow_bodies, "BODY_S", SOON_S)
    monkeypatch.setattr(slow_bodies, "SILENCE_S", SOON_S)
    monkeypatch.setattr(connections, "HEAD_S", SOON_S)
    monkeypatch.setattr(connections, "UNREAD_S", SOON_S)
    server = Answering()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def patient() -> Iterator[Answering]:
    """One that waits as long as a hub does."""
    server = Answering()
    server.start()
    yield server
    server.stop()


def head(path: str, length: int | str, method: str = "POST", *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(connection: socket.socket) -> tuple[int, bytes, Any]:
    """Status, head and body of the next answer."""
    with connection.makefile("rb") as coming:
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            line = coming.readline()
            assert line, f"closed without an answer: {said!r}"
            said += line
        lower = said.lower()
        length = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        body = coming.read(length)
    return int(said.split()[1]), lower, json.loads(body) if body.startswith(b"{") else body


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def received(connection: socket.socket) -> int:
    """How many bytes come until the other side closes."""
    count = 0
    with suppress(ConnectionResetError):
        while came := connection.recv(1 << 20):
            count += len(came)
    return count


def asked(server: Answering, path: str = "/x", body: bytes = b"12345") -> tuple[int, bytes, Any]:
    with server.connect() as connection:
        connection.sendall(head(path, len(body)) + body)
        return answer(connection)


def told(code: str) -> float:
    """How often the meters have seen a refusal."""
    return REGISTRY.get_sample_value("ecluse_refusals_total", {"code": code}) or 0.0


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


STALLED = {
    "one byte of a hundred": head("/x", 100) + b"{",
    "no byte": head("/x", 100),
    "a chunk of many": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
}


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED.keys())
def test_who_sends_no_body_takes_no_place(patient: Answering, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(10 * PLACES):
            stack.enter_context(patient.connect()).sendall(sent)
        time.sleep(0.1)
        assert asked(patient)[0] == 200


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED.keys())
def test_a_late_body_is_refused_and_its_connection_closed(answering: Answering, sent: bytes) -> None:
    before = told("body_late")
    with answering.connect() as connection:
        connection.sendall(sent)
        status, said, problem = answer(connection)
        assert (status, problem["code"]) == (408, "body_late")
        assert b"connection: close" in said
        assert b"x-request-id: req_" in said
        assert is_closed(connection)
    assert told("body_late") == before + 1


def test_bytes_that_trickle_do_not_move_the_deadline(answering: Answering) -> None:
    with answering.connect() as connection:
        connection.sendall(head("/x", 100))
        started_s = time.monotonic()
        for _ in range(4):
            connection.sendall(b"1")
            time.sleep(SOON_S / 4.5)
        assert answer(connection)[0] == 408
        assert time.monotonic() - started_s < 2 * SOON_S


BEGUN = {
    "nothing": b"",
    "a byte": b"G",
    "all but the last byte": head("/x", 0, "GET")[:-1],
    "of a second request": head("/x", 0, "GET") + b"G",
}


@pytest.mark.parametrize("sent", BEGUN.values(), ids=BEGUN.keys())
def test_who_does_not_say_what_they_want_is_left(answering: Answering, sent: bytes) -> None:
    with answering.connect() as connection:
        connection.sendall(sent)
        if len(sent) > len(head("/x", 0, "GET")):
            assert answer(connection)[0] == 200
        assert is_closed(connection)


def test_a_connection_that_was_used_may_rest(answering: Answering) -> None:
    with answering.connect() as connection:
        for _ in range(2):
            connection.sendall(head("/x", 5) + b"12345")
            assert answer(connection)[0] == 200
            time.sleep(2 * SOON_S)


def test_who_does_not_read_takes_no_place(patient: Answering) -> None:
    """However many answers one asks for on each connection."""
    with ExitStack() as stack:
        for _ in range(5 * PLACES):
            stack.enter_context(patient.connect()).sendall(3 * head("/long", 0, "GET"))
        time.sleep(0.3)
        assert asked(patient)[0] == 200


def test_an_answer_that_nobody_reads_is_not_kept(answering: Answering) -> None:
    with answering.connect() as unread:
        unread.sendall(3 * head("/long", 0, "GET"))
        time.sleep(3 * SOON_S)
        assert received(unread) < LONG_BYTES
    with answering.connect() as read:
        read.sendall(head("/long", 0, "GET", "Connection: close"))
        assert received(read) > LONG_BYTES


PIECES = {"two": [b"12", b"345"], "the head alone": [b"", b"12345"], "bytes": [b"1", b"2", b"3", b"4", b"5"]}


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES.keys())
def test_a_body_in_pieces_is_one_to_the_application(patient: Answering, pieces: list[bytes]) -> None:
    with patient.connect() as connection:
        for _ in range(2):  # and the connection goes on
            first, *rest = pieces
            connection.sendall(head("/x", 5) + first)
            for piece in rest:
                time.sleep(0.02)
                connection.sendall(piece)
            assert answer(connection)[::2] == (200, {"size": 5, "pieces": 1})


def test_a_large_body_is_kept_whole(patient: Answering) -> None:
    assert asked(patient, body=bytes(BODY_BYTES_MAX))[::2] == (200, {"size": BODY_BYTES_MAX, "pieces": 1})


def test_whoever_waits_to_be_told_to_go_on_is_told(patient: Answering) -> None:
    with patient.connect() as connection:
        connection.sendall(head("/x", 5, "POST", "Expect: 100-continue"))
        assert answer(connection)[0] == 100
        connection.sendall(b"12345")
        assert answer(connection)[::2] == (200, {"size": 5, "pieces": 1})


def test_requests_sent_together_are_answered_in_turn(patient: Answering) -> None:
    with patient.connect() as connection:
        connection.sendall(head("/x", 5) + b"12345" + head("/x", 3) + b"123" + head("/x", 2) + b"1")
        with connection.makefile("rb"):
            said = b""
            while said.count(b'{"size"') < 2:
                said += connection.recv(4096)
            connection.sendall(b"2")
            while said.count(b'{"size"') < 3:
                said += connection.recv(4096)
    assert [part[:3] for part in said.split(b'{"size":')[1:]] == [b" 5,", b" 3,", b" 2,"]


def test_a_get_waits_for_no_body(patient: Answering) -> None:
    with patient.connect() as connection:
        connection.sendall(head("/x", 100, "GET") + b"{")
        assert answer(connection)[0] == 200


@pytest.mark.parametrize(("path", "size"), [("/small", 11), ("/x", BODY_BYTES_MAX + 1)])
def test_a_body_that_is_too_long_is_refused_before_its_end(patient: Answering, path: str, size: int) -> None:
    with patient.connect() as connection:
        connection.sendall(head(path, 10 * size))
        time.sleep(0.02)
        connection.sendall(bytes(size))
        status, _, problem = answer(connection)
        assert (status, problem["code"]) == (413, "too_large")


def test_bodies_that_come_slowly_are_so_many_bytes_together(
    patient: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_bodies, "HELD_BYTES_MAX", 100)
    with patient.connect() as first, patient.connect() as second:
        first.sendall(head("/x", 100) + bytes(90))
        time.sleep(0.05)
        second.sendall(head("/x", 100) + bytes(90))
        assert answer(second)[2]["code"] == "overloaded"
        assert asked(patient, body=bytes(200))[0] == 200  # one that came whole is not held
        first.sendall(bytes(10))
        assert answer(first)[0] == 200
    with patient.connect() as third:  # what was held is not held any more
        third.sendall(head("/x", 100) + bytes(90))
        time.sleep(0.05)
        third.sendall(bytes(10))
        assert answer(third)[0] == 200


def test_who_leaves_in_the_middle_is_counted_and_nothing_is_broken(
    patient: Answering, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = told("body_cut")
    with patient.connect() as connection:
        connection.sendall(head("/x", 100) + b"{")
        time.sleep(0.05)
    until(lambda: told("body_cut") == before + 1)
    assert asked(patient)[0] == 200
    assert "broken" not in capfd.readouterr().err
    assert caplog.records == []


def test_streams_have_places_of_their_own_and_are_not_kept(patient: Answering) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(patient.connect()) for _ in range(front.STREAMS_MAX)]
        for each in slow:
            each.sendall(head("/stream", 1_000_000) + b"{")
        time.sleep(0.1)
        status, _, problem = asked(patient, "/stream")
        assert (status, problem["code"]) == (503, "overloaded")
        assert asked(patient)[0] == 200
        slow[0].sendall(bytes(999_999))
        _, _, counted = answer(slow[0])
        assert counted["size"] == 1_000_000
        assert counted["pieces"] > 2
        assert asked(patient, "/stream")[0] == 200


def test_a_stream_may_be_slow_and_not_silent(answering: Answering) -> None:
    with answering.connect() as connection:
        connection.sendall(head("/stream", 100))
        for _ in range(6):
            time.sleep(SOON_S / 3)
            connection.sendall(b"1")
        status, said, problem = answer(connection)
        assert (status, problem["code"]) == (408, "body_late")
        assert b"connection: close" in said
        assert is_closed(connection)


CHUNKED = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a"),
    "a header's name": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a"),
    "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n"),
    "an address": (b"GET /", b"a"),
    "a trailer": (CHUNKED + b"1\r\n{\r\n0\r\nX: ", b"a"),
    "trailers": (CHUNKED + b"1\r\n{\r\n0\r\n", b"a: b\r\n"),
    "a chunk's extension": (CHUNKED + b"1;x=", b"a"),
}


def pour(connection: socket.socket, endless: bytes) -> None:
    """Send far more than is taken, or as much as goes."""
    for _ in range(64):
        connection.sendall(endless * (HEAD_BYTES_MAX // len(endless)))


@pytest.mark.parametrize(("begun", "endless"), ENDLESS.values(), ids=ENDLESS.keys())
def test_a_head_has_an_end(patient: Answering, begun: bytes, endless: bytes) -> None:
    with patient.connect() as connection:
        connection.sendall(begun)
        time.sleep(0.02)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            pour(connection, endless)
    assert asked(patient)[0] == 200


@pytest.mark.parametrize("piece", [HEAD_BYTES_MAX + 1, 10_000])
@pytest.mark.parametrize(("size", "status"), [(HEAD_BYTES_MAX, 200), (HEAD_BYTES_MAX + 1, 431)])
def test_a_head_that_is_too_long_is_told_so(patient: Answering, size: int, status: int, piece: int) -> None:
    with patient.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        time.sleep(0.05)  # that is a piece of its own, and what follows is counted to the byte
        rest = (b"a" * size)[4:] + b"\r\n\r\n" if status == 200 else b"a" * size
        for at in range(0, size, piece):
            connection.sendall(rest[at : at + piece])
        assert answer(connection)[0] == status
