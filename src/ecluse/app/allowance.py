"""The allowance at work: openings are counted before they are told, and settled claims give room again.

A settled claim is looked for where it is, among the practice's claims: once a day for each account that opened anybody within a
year (the loader does), and when an account is about to be refused, once in a minute. So is one that came back since.
"""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.app.ports import ClaimStore, Clock
from ecluse.app.ports.allowances import Allowances, Ask
from ecluse.gate.allowance import KEPT_DAYS, SETTLED_WITHIN_DAYS, day_of
from ecluse.kernel.days import DAY_US, ts_us

LOOK_S = 60.0  # an account at its cap that asks on looks no more often at its practice's claims: milliseconds each time
LOOKED_MAX = 10_000  # accounts at their caps that are remembered


class Allowance:
    """What was opened, what was justified; one a process."""

    def __init__(self, clock: Clock, store: Allowances, claims: ClaimStore) -> None:
        self._clock = clock
        self.store = store
        self._claims = claims
        self._looked_ts: dict[str, float] = {}

    def take(self, asks: Sequence[Ask | None]) -> list[str]:
        """Count each ask (None: nothing to count); returns the cap that refused each, or ""."""
        refused = iter(self.store.take([ask for ask in asks if ask]))
        return [next(refused) if ask else "" for ask in asks]

    async def look_again(self, account: str) -> bool:
        """Look for settled claims of an account about to be refused; false when that was done just now."""
        now_ts = self._clock.now().timestamp()
        if now_ts - self._looked_ts.get(account, 0) < LOOK_S:
            return False
        if len(self._looked_ts) >= LOOKED_MAX:
            self._looked_ts.clear()
        self._looked_ts[account] = now_ts
        await self.look(account)
        return True

    async def look(self, account: str) -> None:
        """Justify the account's openings by its practices' settled claims, take back those of cancelled ones, count anew."""
        today = self._today
        for practice in self.store.practices(account):
            lately, standing = [
                await self._claims.settled(practice, since_ts_us=(today - days) * DAY_US)
                for days in (SETTLED_WITHIN_DAYS, KEPT_DAYS)
            ]
            self.store.settle(account, practice, lately, standing, today)
        self.store.position(account, today)  # counted, though nothing was ever opened: it is not looked at again today

    async def look_at_all(self, limit: int) -> int:
        """Look at the accounts that claims may concern and that were not looked at today; returns how many."""
        accounts = self.store.indebted(self._today, limit)
        for account in accounts:
            await self.look(account)
        return len(accounts)

    @property
    def _today(self) -> int:
        return day_of(ts_us(self._clock.now()))
