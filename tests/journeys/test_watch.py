"""What an operator sees: one id per request in answer, log and journal; metrics of all workers; nothing of a person."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journal import told
from tests.journeys.site import DOCTOR, MEMBER, PRACTICE, Site, question

WORKERS = 2
ASKED = 40
TOLD_S = 3  # workers put their sums where the others find them once a second
PERSONAL = (MEMBER["nir"], MEMBER["nir"][:13], MEMBER["birth_date"], DOCTOR, "10000000001", PRACTICE, "eyJ")
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("watched") / "hub", ECLUSE_LOG_REQUESTS="all")
    site.make()
    site.load([{}])
    site.start(workers=WORKERS)
    yield site
    assert site.stop() == 0


def line_of(site: Site, id_: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + TOLD_S
    while time.monotonic() < deadline_s:
        if found := [line for line in site.lines() if line.get("id") == id_]:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"no line of {id_}")


def test_one_id_in_the_answer_the_log_and_the_journal(watched: Site) -> None:
    with watched.client() as client:
        answer = client.post("/v1/rights/checks", json=question(), headers={"traceparent": TRACEPARENT})
    id_ = answer.headers["x-request-id"]
    assert id_ == answer.json()["check_id"]
    assert id_ in {entry.request for entry in told(watched.directory / "journal")}
    line = line_of(watched, id_)
    shown = {name: line[name] for name in ("event", "level", "method", "route", "status", "trace")}
    assert shown == {
        "event": "request", "level": "info", "method": "POST", "route": "/v1/rights/checks", "status": 200,
        "trace": TRACEPARENT.split("-")[1],
    }  # fmt: skip
    assert line["worker"] in {"w0", "w1"}
    assert 0 < line["ms"] < 10_000


REFUSED: list[tuple[str, str, dict[str, Any], int, str, str]] = [
    ("GET", "/v1/claims/clm_X", {"headers": {"Authorization": ""}}, 401, "unauthenticated", "/v1/claims/{claim_id}"),
    ("GET", "/v1/claims/clm_X", {}, 404, "not_found", "/v1/claims/{claim_id}"),
    ("GET", f"/v1/{MEMBER['nir']}", {}, 404, "not_found", "other"),
    ("DELETE", "/v1/quotes", {}, 405, "method_not_allowed", "/v1/quotes"),
    ("GET", "/v1/rights/checks", {}, 405, "method_not_allowed", "/v1/rights/checks"),
    ("POST", "/v1/rights/checks", {"json": {"insurer": MEMBER["nir"]}}, 400, "malformed", "/v1/rights/checks"),
    ("POST", "/v1/quotes", {"content": b"{"}, 400, "malformed", "/v1/quotes"),
]


@pytest.mark.parametrize(("method", "path", "given", "status", "code", "route"), REFUSED)
def test_a_refusal_has_an_id_and_a_line(
    watched: Site, method: str, path: str, given: dict[str, Any], status: int, code: str, route: str
) -> None:
    with watched.client() as client:
        answer = client.request(method, path, **given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    line = line_of(watched, answer.headers["x-request-id"])
    assert (line["status"], line["code"], line["route"], line["level"]) == (status, code, route, "warning")


@pytest.mark.parametrize("sent", [f"00-{MEMBER['nir']}-00f067aa0ba902b7-01", f"{TRACEPARENT}-{MEMBER['nir']}", "é"])
def test_what_a_client_calls_a_trace_is_logged_only_if_it_is_one(watched: Site, sent: str) -> None:
    with watched.client() as client:
        headers = {"traceparent": sent.encode(), "x-request-id": MEMBER["nir"].encode()}
        answer = client.get("/v1/claims", headers=headers)  # type: ignore[arg-type]
    assert answer.headers["x-request-id"].startswith("clm_")
    assert "trace" not in line_of(watched, answer.headers["x-request-id"])


def scrape(site: Site) -> dict[str, float]:
    text = httpx.get(f"{site.url}/metrics", timeout=30).text
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def settled(site: Site, name: str) -> float:
    """The sum of `name` once it has stood still: a worker tells its own with a delay, also of requests before."""
    seen, since_s = scrape(site).get(name, 0), time.monotonic()
    while time.monotonic() - since_s < TOLD_S:
        time.sleep(0.1)
        if (now := scrape(site).get(name, 0)) != seen:
            seen, since_s = now, time.monotonic()
    return seen


def test_metrics_are_those_of_every_worker_whoever_is_asked(watched: Site) -> None:
    name = 'ecluse_answers_total{route="/v1/rights/checks",status="200"}'
    before = settled(watched, name)
    headers = {"Authorization": f"Bearer {watched.token()}"}
    for _ in range(ASKED):  # a new connection each: any worker may take it
        assert httpx.post(f"{watched.url}/v1/rights/checks", json=question(), headers=headers).status_code == 200
    assert settled(watched, name) == before + ASKED
    assert {scrape(watched)[name] for _ in range(8)} == {before + ASKED}
    found = scrape(watched)
    assert found["ecluse_workers"] == WORKERS
    assert found["ecluse_in_flight"] == found["ecluse_queued"] == 0
    assert found['ecluse_feeds{state="loaded"}'] == 1
    assert found["ecluse_database_retries"] >= 0
    assert found["ecluse_journal_batch_entries_sum"] >= ASKED
    assert found["ecluse_journal_sync_seconds_count"] == found["ecluse_journal_batch_entries_count"] > 0


def test_neither_logs_nor_metrics_tell_of_anybody(watched: Site) -> None:
    with watched.client() as client:
        client.post("/v1/rights/checks", json=question())
        client.get(f"/v1/claims/{MEMBER['nir']}")
        client.get(f"/{MEMBER['nir']}", params={"nir": MEMBER["nir"]})
        metrics = client.get("/metrics").text
    said = watched.log.read_text()
    for personal in PERSONAL:
        assert personal not in metrics
        assert personal not in said
    labels = set(re.findall(r'(\w+)="', metrics))
    assert labels <= {"route", "status", "code", "le", "version", "python", "state", "use"}


def test_what_a_killed_worker_left_is_swept_at_the_next_start(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.make()
    left = site.directory / "run" / "metrics-1.json"
    left.parent.mkdir()
    left.write_text('[["ecluse_workers","","gauge",[["ecluse_workers",{},1000.0]]]]')
    os.utime(left, (1, 1))
    site.start()
    assert scrape(site)["ecluse_workers"] == 1
    assert site.stop() == 0
    assert not left.exists()
    assert not [*left.parent.glob("metrics-*")]
