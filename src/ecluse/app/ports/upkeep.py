"""What an operator's check of an installation needs to know: facts, gathered by engines; `app/doctor.py` judges them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from ecluse.app.ports.journal import ShardState
from ecluse.app.ports.published import WitnessSaid
from ecluse.gate.allowance import Beginning

# What the journal tells of and the store keeps. Keys: claim ids; claim ids; engagement numbers; feed ids; insurer, product and
# version with spaces between.
Kept = Literal["claims", "cancellations", "engagements", "feeds", "products"]


class Place(msgspec.Struct, frozen=True):
    """A file or folder of the hub. `mode`: permission bits; `device`: what it shares its free space with."""

    name: str
    mode: int
    owned: bool
    used_bytes: int
    free_bytes: int
    device: int


class JournalFacts(msgspec.Struct, frozen=True):
    """The journal's disk: `damaged` names the first place that does not read, `torn_bytes` what a kill left at the end.

    `origins`: under which names it is signed; one, where journal.origin was never changed.
    """

    slots: int
    bytes: int
    oldest_ts_us: int
    newest_ts_us: int
    torn_bytes: int = 0
    damaged: str = ""
    shards: tuple[ShardState, ...] = ()
    origins: tuple[str, ...] = ()


class InsurerFacts(msgspec.Struct, frozen=True):
    """An insurer that is served: whether it has rights, whether they can be read, its keys, how many products."""

    amc: str
    rights: bool
    readable: bool
    keys: bool
    products: int


class Fault(msgspec.Struct, frozen=True):
    """Something wrong with a database, and what to do; one that is not `grave` lets the hub go on."""

    what: str
    do: str
    grave: bool = True


class Integrity(msgspec.Struct, frozen=True):
    """What of a store was looked at, and what is wrong with it."""

    looked_at: str
    faults: tuple[Fault, ...] = ()


class StoreFacts(msgspec.Struct, frozen=True):
    """What the store says of itself; after a grave fault, nothing else was asked."""

    integrity: Integrity
    insurers: tuple[InsurerFacts, ...] = ()
    feeds: dict[str, int] = {}
    unwritten_runs: tuple[str, ...] = ()
    lost_runs: tuple[str, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """What could not be opened, and the refusal it gave."""

    what: str
    detail: str
    fix: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """An installation as it was found. Groups are `None` when what they need could not be opened: `refused` says why.

    `unbounded`: names of issuers that may vouch for anybody, or any insurer.
    `named`: the hub has a public address, which proofs must name; `certificates`: a proxy's word for them is taken;
    `origin`: the journal's name in the settings; `origin_unset`: it is the made-up one of a new hub;
    `heads_beside`: the heads' second home is on the journal's disk;
    `watched`: how many witnesses are in the settings; `witnesses`: what each said last. `detectors`: as in the settings;
    `beginning`: the hub's first weeks, in which caps are wider. `damaged`: files beside the store's that do not read.
    """

    production: bool = False
    sealed: bool = False
    example_account: bool = False
    issuers: int = 0
    development_issuers: int = 0
    unbounded: tuple[str, ...] = ()
    named: bool = False
    certificates: bool = False
    in_flight_max: int = 64
    variables: tuple[tuple[str, str], ...] = ()
    refused: tuple[Refusal, ...] = ()
    places: tuple[Place, ...] = ()
    private: bool = True
    largest_rights_bytes: int = 0
    sync_us: tuple[int, ...] = ()
    sync_failed: str = ""
    open_files_max: int = 0
    port: str = ""
    now_ts_us: int = 0
    left_behind: tuple[str, ...] = ()
    python: str = ""
    libraries: tuple[tuple[str, str, str], ...] = ()
    journal: JournalFacts | None = None
    keep_months: int = 12
    origin: str = ""
    origin_unset: bool = False
    heads_beside: bool = False
    watched: int = 0
    witnesses: tuple[WitnessSaid, ...] = ()
    detectors: str = "act"
    beginning: Beginning | None = None
    damaged: tuple[Fault, ...] = ()
    store: StoreFacts | None = None


class Upkeep(Protocol):
    """A store looked at by its operator; none of it is about a person."""

    async def ready(self) -> None:
        """Raise if the database cannot be read."""
        ...

    async def integrity(self) -> Integrity:
        """What is wrong with the store's databases; minutes where they are large."""
        ...

    async def insurers(self) -> list[tuple[str, bool, bool]]:
        """Insurers served: number, whether they have rights, whether these can be read."""
        ...

    async def feeds(self) -> dict[str, int]:
        """How many feeds are in each state."""
        ...

    async def waiting_since_ts_us(self) -> int:
        """When the oldest feed that is not finished was received; 0 when there is none."""
        ...

    async def lacking(self, kind: Kept, insurer: str, keys: Sequence[str]) -> set[str]:
        """Those of `keys` that the store does not have; `insurer` is empty for what is kept with the money."""
        ...

    def retries(self) -> int:
        """By this process, since its start: units of work begun again, tries for a busy file, servers found again."""
        ...
