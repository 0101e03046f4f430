"""The hub as use cases see it: one object that holds every port. `wiring` makes it; nobody else chooses an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.at_once import AtOnce
from ecluse.app.colleagues import Colleagues
from ecluse.app.last import LastQuestions
from ecluse.app.ports import (
    ApprovalStore,
    ClaimStore,
    Clock,
    DirectoryStore,
    FeedPorts,
    Ids,
    InsurerMoves,
    JournalReader,
    Keys,
    PaymentStore,
    ProductStore,
    PromiseStore,
    RightsStore,
)
from ecluse.app.ports.cards import Cards
from ecluse.app.ports.containments import Containments
from ecluse.app.ports.decoys import Decoys
from ecluse.app.ports.exposure import ExposurePorts
from ecluse.app.ports.freezes import Freezes
from ecluse.app.ports.incidents import Incidents
from ecluse.app.ports.openings import Openings
from ecluse.app.ports.passes import PassStore
from ecluse.app.ports.portal import Passkeys, Sessions
from ecluse.app.ports.ribs import Ribs
from ecluse.app.ports.sensings import Sensings
from ecluse.app.tries import Tries
from ecluse.kernel.days import ts_us
from ecluse.rules.book import RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Ports, by what they are for."""

    clock: Clock
    ids: Ids
    keys: Keys
    book: RuleBook
    desk: Desk
    allowance: Allowance
    containments: Containments
    sensings: Sensings
    openings: Openings
    freezes: Freezes
    ribs: Ribs
    decoys: Decoys
    sessions: Sessions
    passkeys: Passkeys
    last: LastQuestions = field(default_factory=LastQuestions)
    mismatches: Tries = field(default_factory=Tries)
    refused: Tries = field(default_factory=Tries)
    at_once: AtOnce = field(default_factory=AtOnce)
    colleagues: Colleagues = field(default_factory=Colleagues)
    recall: JournalReader
    rights: RightsStore
    products: ProductStore
    claims: ClaimStore
    approvals: ApprovalStore
    promises: PromiseStore
    payments: PaymentStore
    directory: DirectoryStore
    feeds: FeedPorts
    moves: InsurerMoves
    exposure: ExposurePorts
    incidents: Incidents
    passes: PassStore
    cards: Callable[[], Cards] = dict

    @property
    def now_ts_us(self) -> int:
        """This instant, in microseconds since 1970: as entries of the journal say it."""
        return ts_us(self.clock.now())
