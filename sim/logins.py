"""From where each exchange is sent: the address, the software and the login of a professional at that hour of the day.

A practice has one line and one software. Who works there logs in again after noon, and some then work from elsewhere, so that a
login, a network and an account are three different things. All of it follows from the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sim.exchange import Exchange
from sim.professionals import Professional
from sim.seeds import chance, stream

HEADER = "X-Real-IP"  # in which the simulator says the address, as a proxy in front of the hub would
SOFTWARE = ("officine-9", "cabinet-libre", "soins-express", "dentaplus", "optique-web")  # names that nobody has
NETWORKS = 30  # of each kind; practices of a town share a provider
NOON_S = 13 * 3600
ELSEWHERE = 150  # per mille of accounts that work from elsewhere after noon; assumed
IPV6 = 200  # per mille of lines that are IPv6; assumed


@dataclass(frozen=True, slots=True)
class Login:
    """An address, the `client_id` and the `sid` of a token. The operator, who sits at the hub, has none of them."""

    address: str = ""
    software: str = ""
    session: str = ""


NOWHERE = Login()


class Logins:
    """The logins of everybody in the world of `seed`."""

    def __init__(self, seed: int, staff: Mapping[str, Professional]) -> None:
        self.seed, self.staff = seed, staff
        self.of = cache(self._login)

    def __call__(self, planned: Exchange) -> Login:
        """The login that this exchange is sent from."""
        return self.of(planned.account, planned.token, after_noon=planned.at_s >= NOON_S)

    def _login(self, account: str, token: str, *, after_noon: bool) -> Login:
        practice = self.staff[account].practice.number
        away = after_noon and chance(stream(self.seed, "elsewhere", account), ELSEWHERE)
        software = stream(self.seed, "software", practice).choice(SOFTWARE)
        part = f"{self.seed}/{account}/{token}/{after_noon}"
        return Login(
            self._address(account if away else practice), software, hashlib.sha256(part.encode()).hexdigest()[:16]
        )

    def _address(self, place: str) -> str:
        draw = stream(self.seed, "line", place)
        network, host = draw.randrange(NETWORKS), draw.randrange(1, 255)
        if chance(draw, IPV6):
            return f"2001:db8:{network:x}:{host:x}::1"  # RFC 3849: for documentation
        return f"198.18.{network}.{host}"  # RFC 2544: for benchmarks, routed nowhere
