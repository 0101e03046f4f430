"""Traces: a small collector of our own receives them, and finds requests, their steps, the caller's trace, and nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.journeys.site import DOCTOR, MEMBER, PRACTICE, Site, question

pytest.importorskip("opentelemetry.sdk", reason='traces are an extra: pip install "ecluse[otel]"')

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BAD_NIR = MEMBER["nir"][:13] + "99"
STATE = "vendor=" + MEMBER["nir"]


class Collector(ThreadingHTTPServer):
    """An OTLP/HTTP receiver that keeps the bytes."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Receiving)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/traces"


class Receiving(BaseHTTPRequestHandler):
    """One request to the collector."""

    def do_POST(self) -> None:
        import gzip

        body = self.rfile.read(int(self.headers["content-length"]))
        zipped = self.headers.get("content-encoding") == "gzip"
        self.server.received.append(gzip.decompress(body) if zipped else body)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.shutdown()
    made.server_close()


def traced(tmp_path: Path, collector: Collector, ratio: str) -> Site:
    site = Site(tmp_path / "hub", ECLUSE_TRACES_ENDPOINT=collector.endpoint, ECLUSE_TRACES_RATIO=ratio)
    site.make()
    site.load([{}])
    site.start()
    return site


def test_a_request_and_its_steps_are_told_and_nothing_of_a_person(tmp_path: Path, collector: Collector) -> None:
    site = traced(tmp_path, collector, "1")
    token = site.token()
    with site.client(token) as client:
        headers = {
            "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
            "tracestate": STATE,
            "baggage": f"nir={MEMBER['nir']}",
        }
        check = client.post("/v1/rights/checks", json=question(), headers=headers)
        engagement = check.json()["engagement"]["number"]
        day = question()["care_date"]
        line = {"line": 1, "act": "CS", "date": day, "expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%"}
        claim = {"invoice": "INV-77881", "engagement": engagement, "lines": [line]}
        assert client.post("/v1/claims", json=claim).status_code == 201
        assert client.get(f"/v1/claims/{MEMBER['nir']}").status_code == 404
        client.get(f"/{MEMBER['nir']}", headers={"traceparent": MEMBER["nir"]})
        client.post("/v1/rights/checks", json=question(beneficiary={"nir": BAD_NIR}))
    assert site.stop() == 0
    sent = b"".join(collector.received)
    for word in ["POST /v1/rights/checks", "admit", "read rights", "journal", "take claim", check.headers["x-request-id"],
                 "/v1/claims/{claim_id}", "not_found", "nir_invalid"]:  # fmt: skip
        assert word.encode() in sent, word
    assert bytes.fromhex(TRACE) in sent
    names = [MEMBER["nir"], MEMBER["nir"][:13], MEMBER["birth_date"], BAD_NIR, MEMBER["member_number"] + '"',
             DOCTOR, "10000000001", PRACTICE, token, token[:20], engagement, "INV-77881", "vendor="]  # fmt: skip
    assert [each for each in names if each.encode() in sent] == []


def test_a_caller_cannot_make_the_hub_trace_everything(tmp_path: Path, collector: Collector) -> None:
    site = traced(tmp_path, collector, "0")
    with site.client() as client:
        for _ in range(5):
            client.post(
                "/v1/rights/checks", json=question(), headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            )
    assert site.stop() == 0
    assert collector.received == []


def test_a_collector_that_is_gone_holds_nobody_up(tmp_path: Path, collector: Collector) -> None:
    site = traced(tmp_path, collector, "1")
    collector.shutdown()
    collector.server_close()
    with site.client() as client:
        assert client.post("/v1/rights/checks", json=question()).status_code == 200
    assert site.stop() == 0
