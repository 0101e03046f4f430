"""A primary is lost under load and its synchronous replica promoted: nothing acknowledged is lost, the hub goes on by itself."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.faults.pair import Pair, pair
from tests.faults.traffic import Told, Traffic, claim, hold_told

INTERRUPTION_S_MAX = 5  # a third of a second on a quiet machine (bench/failover.py); this one may be busy


def test_the_hub_goes_on_with_the_replica_and_never_with_the_former_primary(tmp_path: Path) -> None:
    told = Told()
    with pair(tmp_path) as two:
        _, checks_s, claims_s = two.fail_over(told)
        assert max(checks_s, claims_s) < INTERRUPTION_S_MAX
        assert told.codes() <= {"database_unavailable"}
        hold_told(two.site, two.primary, two.database, told)
        the_former_primary_is_not_believed(two, told)


def the_former_primary_is_not_believed(two: Pair, told: Told) -> None:
    """Started again by mistake, it takes writes like the other; every connection is lost, and the hub must choose."""
    two.replica.start()
    before = two.replica.sql("SELECT count(*) FROM claim", two.database)
    with Traffic(two.site.url, two.site.own_token, told).running():
        for _ in range(5):
            time.sleep(0.2)
            two.primary.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'"
                            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'")  # fmt: skip
    assert two.replica.sql("SELECT count(*) FROM claim", two.database) == before
    hold_told(two.site, two.primary, two.database, told)
    two.replica.stop("immediate")


@pytest.mark.slow
def test_a_claim_is_not_answered_before_the_replica_has_it(tmp_path: Path) -> None:
    """While the only replica is gone, checks go on and claims wait."""
    told = Told()
    with pair(tmp_path) as two:
        two.replica.stop("immediate")
        with two.site.client() as client, httpx.Client(base_url=two.site.url, headers=client.headers) as hurried:
            sent = claim(1_000_000)
            with pytest.raises(httpx.ReadTimeout):
                hurried.post("/v1/claims", json=sent, timeout=1.5)
            with Traffic(two.site.url, two.site.own_token, told).running(checkers=1, billers=0):
                time.sleep(0.5)
            threading.Timer(0.5, two.replica.start).start()
            again = client.post("/v1/claims", json=sent)
            assert again.is_success, again.text
            told.claims[sent["invoice"]] = again.json()
        hold_told(two.site, two.primary, two.database, told)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(10))
def test_many_failovers(tmp_path: Path, turn: int) -> None:
    told = Told()
    with pair(tmp_path) as two:
        two.fail_over(told)
        hold_told(two.site, two.primary, two.database, told)
