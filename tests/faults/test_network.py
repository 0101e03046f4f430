"""The network between hub and database breaks or falls silent, connections run out: said at once, over when it is over."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tests.faults.conftest import Faulty
from tests.faults.traffic import asked, claim, gap_s

SILENCE_S = 8  # a look-up gives up after four seconds, a unit of work once another connection gave up: eight
BACK_S = 4  # from the end of a fault to the first good answer: tenths of a second, on a machine that plays other tests too 2.1 s


def test_a_network_that_is_cut_is_said_and_the_hub_is_back_when_it_is(faulty: Faulty) -> None:
    with faulty.traffic().running() as told:
        time.sleep(0.5)
        faulty.cable.cut()
        time.sleep(1)
        faulty.cable.resume()
        back_s = time.monotonic()
        time.sleep(BACK_S / 2)
    assert told.codes() == {"database_unavailable"}
    assert min(each for each in told.claim_times_s if each > back_s) - back_s < BACK_S
    faulty.hold()


@pytest.mark.slow
def test_a_network_that_falls_silent_holds_nobody_for_long(faulty: Faulty) -> None:
    began_s = time.monotonic()
    with faulty.traffic().running() as told:
        time.sleep(0.5)
        faulty.cable.stall()
        time.sleep(SILENCE_S + 1)
        with faulty.site.client() as client:  # long silent: refused without waiting
            told_s = time.monotonic()
            refused = client.post("/v1/rights/checks", json=asked(0))
            assert time.monotonic() - told_s < 1
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["fix"]
        faulty.cable.resume()
        time.sleep(5)
    assert max(gap_s(told.check_times_s, began_s), gap_s(told.claim_times_s, began_s)) < SILENCE_S + 4
    faulty.hold()


@pytest.mark.slow
def test_a_transaction_that_holds_everybody_up_is_said_and_outlived(faulty: Faulty) -> None:
    """Somebody locks a table: four connections wait, the others are told that the database is busy, checks go on."""
    holder = threading.Thread(target=faulty.last, args=("BEGIN; LOCK TABLE claim; SELECT pg_sleep(14); COMMIT",))
    holder.start()
    time.sleep(0.3)
    answers: list[httpx.Response] = []

    def bill(number: int) -> None:
        with faulty.site.client(token) as client:
            answers.append(client.post("/v1/claims", json=claim(2_000_000 + number)))

    token = faulty.site.own_token
    threads = [threading.Thread(target=bill, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    with faulty.site.client(token) as client:
        assert client.post("/v1/rights/checks", json=asked(1)).json()["outcome"] == "confirmed"
    for thread in (*threads, holder):
        thread.join()
    assert {answer.json()["code"] for answer in answers} == {"database_busy"}
    assert {answer.status_code for answer in answers} == {503}
    with faulty.traffic().running():
        time.sleep(0.3)
    faulty.hold()
