"""A primary, its synchronous replica, a hub that knows both; and the loss of the primary while people ask and bill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.traffic import Told, Traffic, gap_s, people
from tests.journeys.site import Site
from tests.servers import Server, started


@dataclass
class Pair:
    """Two durable servers and the hub on them; `database` is the hub's."""

    primary: Server
    replica: Server
    database: str
    site: Site

    def fail_over(self, told: Told) -> tuple[float, float, float]:
        """Lose the primary under load, promote the replica at once: when (monotonic), how long checks, claims were interrupted.

        In seconds.
        """
        with Traffic(self.site.url, self.site.own_token, told).running():
            time.sleep(1.5)
            at_s = time.monotonic()
            self.primary.kill()
            self.replica.promote()
            time.sleep(2)
        self.primary, self.replica = self.replica, self.primary
        return at_s, gap_s(told.check_times_s, at_s), gap_s(told.claim_times_s, at_s)


@contextmanager
def pair(directory: Path) -> Iterator[Pair]:
    """The two, and a hub that answers, until the end of the block."""
    with started(durable=True) as primary:
        database = primary.fresh()
        replica = Server(durable=True)
        site = Site(directory / "hub", ECLUSE_STORE_URL=of_two(primary, replica, database))
        try:
            replica.follow(primary)
            replica.start()
            primary.sync_with_replica()
            site.make()
            site.load(people())
            site.start()
            yield Pair(primary, replica, database, site)
        finally:
            if site.process:
                site.stop()
            replica.remove()


def of_two(one: Server, other: Server, database: str) -> str:
    """The URL of a server with two hosts."""
    return one.url(database).replace(f":{one.port}/", f":{one.port},127.0.0.1:{other.port}/")
