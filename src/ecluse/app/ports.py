"""What the application needs from the outside, and no more. Engines implement these; `wiring.py` chooses them by URL.

Every method that returns a person's data takes an `Admission` (`app/access.py`): nobody reads who was not admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from ecluse.claims.claim import Claim, Moved
from ecluse.claims.filing import Decide, Filing, Search, Summary
from ecluse.claims.price import Counter
from ecluse.coverage.line import Used
from ecluse.coverage.product import Product
from ecluse.formats.feed.file import Checked, FeedRow, RowRefusal, Terms
from ecluse.gate.admission import Admission
from ecluse.journal.entry import Entry
from ecluse.payments.call import Call
from ecluse.payments.ledger import Entry as LedgerEntry
from ecluse.payments.reconcile import Judged, Movement
from ecluse.payments.remittance import Remittance, RemittanceHead
from ecluse.payments.run import Ordered, Run, RunPlan
from ecluse.rights.model import Engagement, Right

HUB = "hub"  # the scope of keys that belong to no insurer


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """This instant, UTC."""
        ...


class Ids(Protocol):
    """The only source of identifiers."""

    def new(self, prefix: str) -> str:
        """`prefix` and 20 time-ordered characters."""
        ...

    def engagement(self, year: int) -> str:
        """An engagement number nobody can guess."""
        ...


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A place in the journal: the writer's slot, and the position after the last byte written."""

    slot: str
    position: int


class Keys(Protocol):
    """Keys by scope (an insurer's AMC number, or `HUB`). A scope without keys is refused with `scope_unknown`."""

    def pseudonym(self, scope: str, message: bytes) -> bytes:
        """Keyed pseudonym of `message`, 16 bytes: HMAC-SHA-256 cut to 128 bits, under the scope's index key."""
        ...

    def seal(self, scope: str, plain: bytes, about: bytes) -> bytes:
        """Encrypt and authenticate `plain`, bound to `about`. Key version (1 byte) | nonce (12) | AES-256-GCM."""
        ...

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`. Raises `seal_broken` when bytes, scope or `about` are not those sealed."""
        ...

    def has(self, scope: str) -> bool:
        """Whether this scope has keys."""
        ...

    def create(self, scope: str) -> None:
        """Draw the keys of a new scope; nothing happens if it has some."""
        ...


class Log(Protocol):
    """The journal's disk. Group commit is `app/access.py`'s."""

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch; durable on return. A failed sync poisons the log: later calls raise `journal_poisoned`."""
        ...

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        """Entries written after `marks` (position by slot) whose writer is gone, or is this process."""
        ...


class ProductStore(Protocol):
    """Guarantee tables; a version is immutable."""

    def add(self, insurer: str, product: Product, loaded_ts_us: int) -> bool:
        """Put this version in force; False when it already was. Durable on return."""
        ...

    def in_force(self, insurer: str, product: str) -> str:
        """The version in force now; empty when the product was never loaded."""
        ...

    def names(self, insurer: str) -> list[str]:
        """The products loaded for an insurer."""
        ...

    def table(self, insurer: str, product: str, named: str) -> Product | None:
        """The guarantee table of the version so named; None when there is none."""
        ...


class RightsStore(Protocol):
    """Rights that answer now, and engagements given."""

    def ready(self) -> None:
        """Raise what a check would raise if the store cannot be read."""
        ...

    def rights(self, admission: Admission) -> list[Right]:
        """Every right of the one person the admission covers; empty when unknown."""
        ...

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        """Keep the engagements these durable entries give, up to `mark`. Keeping one twice changes nothing."""
        ...

    def engagement(self, admission: Admission) -> Engagement | None:
        """The engagement the admission names, if it was given to the admitted practice."""
        ...


class ClaimStore(Protocol):
    """Claims, their lives, and the yearly counters they use."""

    async def take(self, filing: Filing, decide: Decide) -> Claim:
        """Decide on a claim and keep it, in one durable unit of work. The very same body again gives the claim it made.

        Raises `invoice_reused` when another body holds the invoice number.
        """
        ...

    async def cancel(self, admission: Admission, about: str) -> tuple[Claim, bool] | None:
        """Cancel the own claim the admission names, durably; whether money was ordered for it. Raises `move_not_allowed`."""
        ...

    def claim(self, admission: Admission) -> tuple[Claim, list[Moved]] | None:
        """The own claim the admission names, and its life; None for another practice's."""
        ...

    def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The admitted practice's claims, newest first; one more than the limit when others follow."""
        ...

    def used(self, admission: Admission, engagement: Engagement, counters: Iterable[Counter]) -> dict[Counter, Used]:
        """What the person of the admitted engagement has used of yearly guarantees."""
        ...


class Ledger(Protocol):
    """Double entry; used inside a unit of work of the store."""

    def book(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries; each sums to zero by construction."""
        ...


class Schemas(Protocol):
    """Published schemas of messages for the bank."""

    def check(self, document: bytes, message: str) -> None:
        """Assert that `document` is a valid `message` (`pain.001.001.09`…): what goes into it was checked before."""
        ...


class Post(Protocol):
    """Files out. Each appears whole or not at all, and is durable before anyone can see it."""

    def put(self, name: str, content: bytes) -> None:
        """Write one file under `name` (a relative path); the same name again replaces it in one step."""
        ...

    def put_all(self, contents: Iterable[tuple[str, bytes]]) -> int:
        """Write many, becoming visible in the order given; returns how many."""
        ...

    def has(self, name: str) -> bool:
        """Whether the file is there, whole."""
        ...

    def place(self, name: str) -> str:
        """Where the file is, for people."""
        ...


class PaymentStore(Protocol):
    """Payment runs and what the bank says of them. Every method that changes something is one durable transaction."""

    def order(self, plan: RunPlan) -> Ordered:
        """Order everything that is due: remittances, moves of claims, ledger, calls. No run is kept when nothing can be paid."""
        ...

    def written(self, run: str) -> None:
        """Every file of the run is on disk."""
        ...

    def runs(self, *, until: date | None = None, unwritten: bool = False, limit: int = 50) -> list[Run]:
        """Runs of a day, or those whose files may be missing, or the newest."""
        ...

    def run(self, run: str) -> Run | None:
        """One run."""
        ...

    def debtor(self, run: str) -> bytes:
        """The hub's own account as it was when the run was made, sealed."""
        ...

    def transfers(self, run: str) -> list[tuple[str, str, int, bytes]]:
        """Remittance, practice, cents and sealed payee of each transfer, in the order of remittances."""
        ...

    def remittances(self, run: str) -> Iterator[Remittance]:
        """The remittances of a run, one at a time."""
        ...

    def remittance(self, id_: str) -> Remittance | None:
        """One remittance."""
        ...

    def remittances_of(self, practice: str, after: str, limit: int) -> list[RemittanceHead]:
        """A practice's remittances, oldest first, after the one named."""
        ...

    def calls(self, run: str) -> list[tuple[Call, bytes | None]]:
        """The calls of a run, with the insurer's sealed settlement."""
        ...

    def call(self, id_: str) -> Call | None:
        """One call."""
        ...

    def read_statement(self, digest: str, movements: Sequence[Movement], at_ts_us: int) -> tuple[list[Judged], bool]:
        """Judge a statement's movements and apply them; the verdicts, and whether this very file was read before."""
        ...


class DirectoryStore(Protocol):
    """Whom money goes to and comes from; everything is sealed before it gets here."""

    def payees(self, practices: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those practices that have some."""
        ...

    def put_payees(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        ...

    def settlements(self, insurers: Iterable[str]) -> dict[str, bytes]:
        """The sealed details of those insurers that have some."""
        ...

    def put_settlements(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Keep details, all or nothing."""
        ...


class FeedCounts(msgspec.Struct, frozen=True):
    """What a feed amounted to: its rows, and what the insurer's rights hold once it is loaded."""

    rows: int = 0
    refused_rows: int = 0
    refusals_total: int = 0
    persons: int = 0
    rights: int = 0


class FeedRecord(msgspec.Struct, frozen=True):
    """A member feed as the hub keeps it. `state`: received, loading, loaded or refused."""

    id: str
    insurer: str
    mode: str
    state: str
    received_ts_us: int
    account: str
    drop_unknown: bool
    spooled: bool
    counts: FeedCounts
    digest: str


class FeedStore(Protocol):
    """Feeds and their outcomes. Changes are durable on return."""

    def begin(self, feed: FeedRecord) -> None:
        """Keep a new feed."""
        ...

    async def receive(self, feed: FeedRecord, key: bytes, body: bytes) -> str:
        """Keep a feed received over HTTP, or find it: its id. Raises `idempotency_key_reused`."""
        ...

    def same(self, insurer: str, mode: str, digest: str) -> str | None:
        """The feed that did, or is doing, exactly this, with no other feed loaded after it."""
        ...

    def feed(self, id_: str) -> FeedRecord | None:
        """One feed."""
        ...

    def refusals(self, id_: str) -> list[RowRefusal]:
        """The refused rows kept in detail, in the order of their lines."""
        ...

    def unfinished(self) -> list[str]:
        """Feeds received over HTTP that are not finished, oldest first."""
        ...

    def load(self, id_: str) -> None:
        """A received feed is being loaded."""
        ...

    def refuse(self, id_: str, counts: FeedCounts, refusals: Sequence[RowRefusal], at_ts_us: int) -> None:
        """The feed is refused, and changes nothing."""
        ...

    def answer(self, id_: str, insurer: str, generation: str, counts: FeedCounts, at_ts_us: int) -> None:
        """The feed is loaded: from now on its generation answers, for every process."""
        ...


class Settle(Protocol):
    """What the rights of one person become: kept rights (sealed) and rows in, sealed rights or refused lines out."""

    def __call__(
        self, person: bytes, kept: Sequence[bytes], rows: Sequence[tuple[bytes, int, bool, bytes]]
    ) -> tuple[list[bytes], Sequence[tuple[int, str]]]:
        """Sealed rights that result, and (line, code) of the rows that cannot be applied."""
        ...


class RightsWork(Protocol):
    """The making of one generation: rows are staged (and survive a kill), then built into a file, then it is kept."""

    @property
    def done(self) -> int:
        """Rows staged and committed."""
        ...

    def plan(self, rows: int) -> None:
        """The file holds this many rows."""
        ...

    def add(self, rows: list[tuple[bytes, int, bool, bytes]], members: list[tuple[bytes, bytes, int]]) -> None:
        """Stage rows (person, line, whether it ends a right, sealed) and members (member, person, line)."""
        ...

    def build(
        self, settle: Settle, told: Callable[[int], None], *, over: bool
    ) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """Build the new file, `over` the current generation or over nothing. Counts, and refused lines: then no file."""
        ...

    def publish(self) -> str:
        """Give the built file its name, durably; the generation. It answers nobody before `FeedStore.answer`."""
        ...

    def finish(self) -> None:
        """Remove what was staged, and files of generations that no longer answer."""
        ...


class RightsWorks(Protocol):
    """One load at a time for each insurer, over all processes."""

    def work(self, insurer: str, feed: str) -> AbstractContextManager[RightsWork]:
        """Begin or go on with a feed's work."""
        ...

    def turn(self, insurer: str) -> AbstractContextManager[None]:
        """This insurer's turn. Raises `feed_in_progress` when another process has it."""
        ...


class OpenFile(Protocol):
    """One member file: `survey`, then `check`, then `rows`."""

    def survey(self, told: Callable[[int, int], None]) -> bytes:
        """SHA-256 of the bytes, `told` of progress; or the refusal of the whole file."""
        ...

    def check(self, terms: Terms) -> Checked:
        """Every row held to every check."""
        ...

    def rows(self, terms: Terms, after: int) -> Iterator[list[FeedRow]]:
        """Rows past the first `after`, in order."""
        ...


class MemberFiles(Protocol):
    """Where member files are read from."""

    def at(self, path: Path) -> AbstractContextManager[OpenFile]:
        """A file named by its path. Raises `file_unreadable`."""
        ...

    def received(self, feed: str) -> AbstractContextManager[OpenFile]:
        """A file received over HTTP."""
        ...


class Receiving(Protocol):
    """One file being received; kept only if `keep` is called inside the block."""

    def write(self, data: bytes) -> None:
        """The next bytes."""
        ...

    def keep(self) -> None:
        """It is whole; durable on return."""
        ...


class Spooled(Protocol):
    """Files received, sealed, until they are loaded."""

    def write(self, feed: str) -> AbstractContextManager[Receiving]:
        """Begin to receive a file."""
        ...

    def remove(self, feed: str) -> None:
        """Forget a file."""
        ...

    def sweep(self, keep: Collection[str], before_ts: float) -> None:
        """Forget files last written before `before_ts` (seconds), but for those of the feeds to `keep`."""
        ...


class FeedPorts(msgspec.Struct, frozen=True):
    """What loading member files needs from outside."""

    store: FeedStore
    works: RightsWorks
    files: MemberFiles
    spool: Spooled
