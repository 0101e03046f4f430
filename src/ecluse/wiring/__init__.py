"""The only place that knows both sides: settings choose engines by URL, engines fill the ports, doors get a `Hub`.

A driver is imported only when a URL asks for it.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import uvloop
from joserfc.errors import SecurityWarning

from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.caps import caps_told
from ecluse.app.hub import Hub
from ecluse.app.missing import Journal
from ecluse.app.payments import Till
from ecluse.app.ports import Keys, Log
from ecluse.app.ports.envelopes import Envelopes
from ecluse.app.ports.exposure import ExposurePorts
from ecluse.app.ports.journal import Shards
from ecluse.app.ports.lake import Lake, LakeFiles
from ecluse.app.ports.portal import PortalPorts, UnderWay
from ecluse.app.watching import Watcher
from ecluse.engines.age import Age
from ecluse.engines.clock import RandomIds, SystemClock
from ecluse.engines.feeds import (
    files_begun as files_begun,
)  # re-exported for `beside.py`, which restarts the loader without opening a hub
from ecluse.engines.feeds import open_feeds
from ecluse.engines.files import Folder
from ecluse.engines.issuer import (
    DEV_ISSUER_REFUSED,
    DevelopmentIssuer,
    create_development_issuer,
    write_development_accounts,
)
from ecluse.engines.issuers import TrustedIssuers
from ecluse.engines.keys.keyring import Opening
from ecluse.engines.keys.meter import Budget
from ecluse.engines.local.reading import LocalShards, extent, walk
from ecluse.engines.local.registry import Signer
from ecluse.engines.parts import damage_named
from ecluse.engines.proofs import SharedProofs
from ecluse.engines.schemas import Schemas
from ecluse.engines.sqlite.passes import SqlitePasses
from ecluse.engines.stores import Stores
from ecluse.gate.allowance import CapTable
from ecluse.journal.entry import decode
from ecluse.kernel.errors import Refused, refusal
from ecluse.payments.transfer import BANK_SETTINGS_INVALID, Debtor
from ecluse.rules.book import open_book
from ecluse.settings import (
    EXAMPLE_IBAN,
    EXAMPLE_ORIGIN,
    FILE,
    RESTORE_SETTINGS,
    Settings,
    data_in,
    new_settings,
    passphrase,
    read_settings,
    template,
)
from ecluse.wiring.cards import read_cards
from ecluse.wiring.databases import upgrade_databases
from ecluse.wiring.engines import FILES, KEYS, LAKES, LOGS, READERS, STORES, plug
from ecluse.wiring.gate import catch_up_gate, open_gate, open_lookback, read_caps, recover_gate, watcher
from ecluse.wiring.issuers import trusted_issuers
from ecluse.wiring.portal import open_portal

# RFC 9864 renames the algorithm `EdDSA` to `Ed25519`; issuers still send the old name, and we accept both.
warnings.filterwarnings("ignore", category=SecurityWarning)

ENVELOPES: Envelopes = Age()  # keeps nothing: one for everybody

COPIED_TOGETHER = 500  # entries: some milliseconds of work between two breaths of the event loop
KEEP_UP_S = 1.0  # between two questions to each server whether it has what was written to it

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

ORIGIN_UNSET = refusal(
    "journal_origin_unset",
    500,
    "The journal has no name of its own yet",
    fix="Write journal.origin in ecluse.toml before the first load: it is signed in every head, for ever. A hub that was loaded "
    "under the made-up name is made anew (ecluse init).",
)
DIRECTORY_UNWRITABLE = refusal(
    "directory_unwritable", 400, "This directory cannot be written", fix="Name one where you may make files."
)
ALREADY_A_HUB = refusal("already_a_hub", 409, "This directory is a hub already", fix="Use it, or name a new directory.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHub(Hub):
    """A hub and what only doors need of it: its directory, settings, issuers and engines."""

    dir: Path
    settings: Settings
    issuers: TrustedIssuers
    under_way: UnderWay
    log: Log
    stores: Stores
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What a use case gives, for commands, which have no event loop of their own."""
        return self.runner.run(work)

    @property
    def till(self) -> Till:
        """What payments need; files go out under `out/`. Raises `bank_settings_invalid` for the made-up account in production."""
        bank = self.settings.bank
        if self.settings.production and bank.iban == EXAMPLE_IBAN:
            raise BANK_SETTINGS_INVALID("bank.iban is the made-up one of a new hub")
        debtor = Debtor(bank.name, bank.iban, bank.bic, bank.creditor_id)
        return Till(
            self.clock, self.keys, self.payments, self.directory, self.post, Schemas(), debtor, self.desk.record
        )

    @property
    def post(self) -> Folder:
        """Where files go out."""
        return Folder(self.dir / "out")

    @property
    def proofs(self) -> SharedProofs:
        """What this hub's processes remember of DPoP proofs; opened at each call, for as long as this process lives."""
        return SharedProofs(self.dir / "run")

    @property
    def portal(self) -> PortalPorts | None:
        """What browsers' logins need; None where the settings want no portal. Raises `portal_key_invalid`."""
        return open_portal(self.settings, self.dir, self.sessions, self.under_way, self.passkeys)

    @property
    def caps(self) -> CapTable:
        """How many people accounts may open. Raises `caps_invalid`."""
        return read_caps(self.dir, self.settings.gate)

    @property
    def watcher(self) -> Watcher:
        """What feeds the detectors; one process at a time runs it. Raises `caps_invalid`."""
        return watcher(self, self.dir, self.settings.gate)

    @property
    def journal(self) -> Journal:
        """The journal, to be read from its beginning; nobody's slot is taken."""
        place = self.dir / self.settings.journal.place
        return Journal(extent(place), walk(place))

    @property
    def shards(self) -> Shards:
        """The journal as shards, each read up to its signed head."""
        return _shards(self.dir, self.settings)

    @property
    def lake(self) -> Lake:
        """The journal's copy for questions over millions of entries. Raises `engine_unknown`."""
        return _open_lake(self.dir, self.settings, self.shards)

    async def recover(self) -> int:
        """Copy into the engagements and the gate's counters what they lack of the journal; the number of engagements' entries.

        Raises `journal_behind`, `journal_damaged`, `database_unavailable`.
        """
        recover_gate(self, self.log)
        await caps_told(self, self.caps)
        copied = 0
        for encoded, mark in self.log.unkept(await self.rights.marks()):
            self.rights.keep([decode(encoded)], mark)
            copied += 1
            if copied % COPIED_TOGETHER == 0:
                await self.rights.flush()
        self.rights.caught_up()
        await self.rights.flush()
        return copied

    async def keep_up(self) -> None:
        """Copy again what a server lacks once it is back, for as long as the hub answers."""
        while True:
            await asyncio.sleep(KEEP_UP_S)
            try:
                if await self.rights.lags():
                    LOG.warning("engagements copied again: %d journal entries", await self.recover())
            except Refused as refused:
                LOG.warning("engagements wait: %s", refused)

    def development_issuer(self) -> DevelopmentIssuer:
        """The issuer that signs for anybody. Raises `dev_issuer_refused` in production."""
        chosen = next((each for each in self.settings.issuers if each.development), None)
        if self.settings.production or chosen is None:
            raise DEV_ISSUER_REFUSED()
        return DevelopmentIssuer(self.dir / "keys", chosen.name, chosen.audience)

    def remember_accounts(self, accounts: dict[str, tuple[str, str]]) -> None:
        """Where accounts practise (practice, profession), for the development issuer's tokens."""
        write_development_accounts(self.dir / "keys", accounts)


def lake_files(directory: Path) -> LakeFiles:
    """The lake's files, to be filled and checked; the hub may be serving. Raises `not_a_hub`, `engine_unknown`."""
    settings = read_settings(directory)
    place = plug(settings.lake.url, LAKES)[1]
    files: LakeFiles = import_module(FILES).LakeFiles(directory, place, _shards(directory, settings))
    return files


def init_hub(directory: Path) -> None:
    """Make a hub in `directory`: settings, keys, development issuer, database.

    Raises `already_a_hub`, `directory_unwritable`, `settings_invalid`, `passphrase_short`, `keys_unsealed`,
    `database_unreachable`, `database_in_use`; then no hub is made.
    """
    try:
        if (directory / FILE).exists():
            raise ALREADY_A_HUB(f"{directory} holds an {FILE}")
        if found := data_in(directory):  # new settings and keys over it would look like a hub, and open nothing
            raise ALREADY_A_HUB(f"{directory} holds {', '.join(found)}, and no {FILE}", fix=RESTORE_SETTINGS)
        _check_new_keys(directory)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else has business in there
        (directory / "keys").mkdir(mode=0o700, exist_ok=True)
    except OSError as broken:
        raise DIRECTORY_UNWRITABLE(f"{directory}: {broken.strerror}") from None
    create_development_issuer(directory / "keys")
    (directory / FILE).write_text(template())
    try:
        upgrade_databases(directory, new=True)
    except Refused:
        (directory / FILE).unlink()  # no hub was made: once that is mended, it can be
        raise
    with open_hub(directory, new=True):
        pass


def _check_new_keys(directory: Path) -> None:
    """Refuse what no keys can be made with before anything is: half a hub would be taken for a whole one."""
    module, opening = keys_engine(new_settings(), directory)
    if hasattr(module, "check_new"):
        module.check_new(opening)


@contextmanager
def open_hub(
    directory: Path, around_log: Callable[[Log], Log] = lambda log: log, *, new: bool = False, is_whole: bool = True
) -> Iterator[OpenHub]:
    """The hub in `directory`, open until the end of the block; `around_log` wraps the journal's disk, to measure it.
    A `new` hub draws its keys; else they must be there. What gate.db lacks of the journal is put back first, whoever opens it:
    else a limit would be read, or moved, as if there were none; not of a journal that is known not to be whole (`is_whole`).

    Raises `not_a_hub`, `settings_invalid`, `keys_missing`, `keys_locked`, `part_missing`, `part_damaged`, `journal_damaged`,
    `journal_forked`…
    """
    with damage_named(directory), _opened(directory, around_log, new=new) as hub:
        if is_whole:
            catch_up_gate(hub, hub.log)
        yield hub


@contextmanager
def _opened(directory: Path, around_log: Callable[[Log], Log], *, new: bool) -> Iterator[OpenHub]:
    settings = read_settings(directory)
    module, opening = keys_engine(settings, directory)
    keys = module.open_keys(opening, new=new)
    clock, runner = SystemClock(), asyncio.Runner(loop_factory=uvloop.new_event_loop)
    stores = _open_stores(directory, settings, keys)
    module, place = plug(settings.journal.url, LOGS)
    log = module.LocalLog(directory / place, signer(settings, keys), clock.now, directory / settings.journal.heads)
    gate = open_gate(directory, settings.gate)
    allowance = Allowance(clock, gate.allowances, stores.claims)
    desk = Desk(clock, keys, around_log(log), stores.rights, allowance, gate.containments)
    passes = SqlitePasses(directory)
    try:
        yield OpenHub(
            clock=clock,
            ids=RandomIds(),
            keys=keys,
            book=open_book(),
            desk=desk,
            allowance=allowance,
            **gate.ports(),
            under_way=gate.under_way,
            recall=plug(settings.journal.url, READERS)[0].JournalSearch(directory / place),
            rights=stores.rights,
            products=stores.products,
            payments=stores.payments,
            directory=stores.directory,
            claims=stores.claims,
            approvals=stores.approvals,
            promises=stores.promises,
            feeds=open_feeds(directory, stores.feeds, stores.works, keys),
            moves=stores.moves,
            exposure=_exposure(directory, settings),
            passes=passes,
            cards=partial(read_cards, directory / settings.incidents.organisations),
            dir=directory,
            settings=settings,
            issuers=trusted_issuers(settings, directory, clock),
            log=log,
            stores=stores,
            runner=runner,
        )
    finally:
        desk.close()
        gate.close()
        log.close()
        runner.run(passes.close())
        runner.run(stores.close())
        runner.close()


def _open_stores(directory: Path, settings: Settings, keys: Keys) -> Stores:
    store = settings.store
    module, _ = plug(store.url, STORES)
    stores: Stores = module.open_stores(
        store.url,
        directory,
        keys,
        servers=store.servers,
        insurers=store.insurers,
        connections_max=store.connections_max,
    )
    return stores


def _exposure(directory: Path, settings: Settings) -> ExposurePorts:
    """What an exposure is asked of: the shards, and the lake once it is asked."""
    shards = _shards(directory, settings)
    lookback, post = open_lookback(directory), Folder(directory / "out")
    return ExposurePorts(lambda: _reaching_lake(directory, settings, shards), shards, lookback, ENVELOPES, post)


def _reaching_lake(directory: Path, settings: Settings, shards: Shards) -> Lake:
    """The lake opened at the heads signed now, and brought to them."""
    lake = _open_lake(directory, settings, shards)
    lake_files(directory).reach(lake.heads)
    return lake


def _open_lake(directory: Path, settings: Settings, shards: Shards) -> Lake:
    module, place = plug(settings.lake.url, LAKES)
    lake: Lake = module.open_lake(directory, place, shards)
    return lake


def keys_engine(settings: Settings, directory: Path) -> tuple[ModuleType, Opening]:
    """The module of the hub's keys, and what opens them."""
    module, place = plug(settings.keys.url, KEYS)
    budget = Budget(settings.keys.lookups_per_s_max, settings.keys.rows_per_s_max)
    return module, Opening(place, directory, passphrase(settings, directory), budget, settings.production)


def _shards(directory: Path, settings: Settings) -> Shards:
    return LocalShards(directory / settings.journal.place)


def signer(settings: Settings, keys: Keys) -> Signer:
    """What signs the journal's heads; in production not under the made-up name of a new hub: `journal_origin_unset`."""

    def public() -> bytes:
        if settings.production and EXAMPLE_ORIGIN in settings.journal.origin:
            raise ORIGIN_UNSET(settings.journal.origin)
        return keys.public_key("journal")

    return Signer(settings.journal.origin, public, partial(keys.sign, "journal"))
