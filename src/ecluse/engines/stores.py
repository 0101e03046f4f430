"""What one store engine gives, by port; `wiring` hands each to the code that needs it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ecluse.app.ports import (
    ApprovalStore,
    ClaimStore,
    DirectoryStore,
    FeedStore,
    InsurerMoves,
    PaymentStore,
    ProductStore,
    PromiseStore,
    RightsStore,
    RightsWorks,
    Upkeep,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Everything an engine keeps. `close` waits for what is being written, and gives files and connections back."""

    products: ProductStore
    rights: RightsStore
    payments: PaymentStore
    directory: DirectoryStore
    claims: ClaimStore
    approvals: ApprovalStore
    promises: PromiseStore
    feeds: FeedStore
    works: RightsWorks
    moves: InsurerMoves
    upkeep: Upkeep
    close: Callable[[], Coroutine[Any, Any, None]]
