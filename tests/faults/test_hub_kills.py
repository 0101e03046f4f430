"""kill -9 of a hub while practices ask over HTTP: every answer one of them got has its entry, and the journal verifies."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.traffic import asked, people
from tests.journal import entries_in
from tests.journeys.site import Site

ASKERS = 4


def ask(site: Site, told: list[str]) -> None:
    """Ask until the hub is gone; what was answered."""
    headers = {"Authorization": f"Bearer {site.own_token}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=10) as client:
        number = 0
        while True:
            try:
                reply = client.post("/v1/rights/checks", json=asked(number))
            except httpx.HTTPError:
                return
            assert reply.status_code == 200, reply.text
            told.append(reply.json()["check_id"])
            number += 1


@pytest.mark.parametrize("rounds", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_hub_killed_while_it_answers(tmp_path: Path, rounds: int) -> None:
    site, told, draw = Site(tmp_path / "hub"), [], random.Random(rounds)
    site.make()
    site.load(people())
    for _ in range(rounds):
        site.start()
        askers = [threading.Thread(target=ask, args=(site, told)) for _ in range(ASKERS)]
        for each in askers:
            each.start()
        before = len(told)
        while len(told) == before:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 1))
        assert site.process
        site.process.kill()
        site.process.wait()
        for each in askers:
            each.join()
        assert set(told) <= {entry.request for entry in entries_in(site.directory / "journal")}
    site.start()
    site.stop()
    assert site.run("journal", "verify", check=False).returncode == 0
    assert set(told) <= {entry.request for entry in entries_in(site.directory / "journal")}
