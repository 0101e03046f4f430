"""Payment runs, the directory of bank details."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Protocol

from ecluse.payments.call import Call
from ecluse.payments.reconcile import Judged, Movement
from ecluse.payments.remittance import Remittance, RemittanceHead
from ecluse.payments.run import Ordered, Run, RunPlan
from ecluse.payments.witness import Witness


class PaymentStore(Protocol):
    """Payment runs and what the bank says of them. Every method that changes something is one durable transaction."""

    async def order(self, plan: RunPlan) -> Ordered:
        """Order everything that is due: remittances, moves of claims, ledger, calls. No run is kept when nothing can be paid."""
        ...

    async def enter(self, plan: RunPlan, told: Witness) -> Run:
        """Make a lost run again, exactly as its files tell of it, or nothing. Raises `run_lines_missing`, `run_differs`."""
        ...

    async def publishing(self, run: str) -> bool:
        """From now on the bank may take files of the run; False when that was said before, by whoever published them."""
        ...

    async def written(self, run: str) -> None:
        """Every file of the run is on disk."""
        ...

    async def runs(self, *, until: date | None = None, unwritten: bool = False, limit: int = 50) -> list[Run]:
        """Runs of a day, or those not known to be written, or the newest."""
        ...

    async def run(self, run: str) -> Run | None:
        """One run."""
        ...

    async def debtor(self, run: str) -> bytes:
        """The hub's own account as it was when the run was made, sealed."""
        ...

    async def transfers(self, run: str) -> list[tuple[str, str, int, bytes]]:
        """Remittance, practice, cents and sealed payee of each transfer, in the order of remittances."""
        ...

    def remittances(self, run: str) -> AsyncIterator[Remittance]:
        """The remittances of a run, one at a time."""
        ...

    async def remittance(self, id_: str) -> Remittance | None:
        """One remittance."""
        ...

    async def remittances_of(self, practice: str, after: str, limit: int) -> list[RemittanceHead]:
        """A practice's remittances, oldest first, after the one named."""
        ...

    async def calls(self, run: str) -> list[tuple[Call, bytes | None]]:
        """The calls of a run, with the insurer's sealed settlement."""
        ...

    async def call(self, id_: str) -> Call | None:
        """One call."""
        ...

    async def read_statement(
        self, digest: str, movements: Sequence[Movement], at_ts_us: int
    ) -> tuple[list[Judged], bool]:
        """Judge a statement's movements and apply them; the verdicts, and whether this very file was read before."""
        ...


class DirectoryStore(Protocol):
    """Whom money goes to and comes from; everything is sealed before it gets here."""

    async def payees(self, practices: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those practices that have some."""
        ...

    async def put_payees(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        ...

    async def settlements(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those insurers that have some."""
        ...

    async def put_settlements(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        ...

    async def recipients(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed public keys of those insurers that have one."""
        ...

    async def put_recipient(self, insurer: str, sealed: bytes) -> None:
        """Keep an insurer's sealed public key."""
        ...
