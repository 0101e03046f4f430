"""What the application needs from the outside, and no more. Engines implement these; `wiring` chooses them by URL.

Every method that returns a person's data takes an `Admission` (`gate/admission.py`): nobody reads who was not admitted.
"""

from ecluse.app.ports.approvals import ApprovalStore
from ecluse.app.ports.claims import ClaimStore
from ecluse.app.ports.feeds import (
    FeedCounts,
    FeedPorts,
    FeedRecord,
    FeedStore,
    MemberFiles,
    OpenFile,
    Receiving,
    Rekeying,
    RightsWork,
    RightsWorks,
    Settle,
    Spooled,
)
from ecluse.app.ports.keys import HUB, Destruction, KeyHeld, Keys, Pseudonyms, Signing, Tally, Totals
from ecluse.app.ports.moves import InsurerMoves, Moved, MoveTold
from ecluse.app.ports.outside import Clock, Ids, JournalReader, Log, Mark, Post, Schemas
from ecluse.app.ports.payments import DirectoryStore, PaymentStore
from ecluse.app.ports.promises import PromiseStore
from ecluse.app.ports.rights import ProductStore, RightsStore
from ecluse.app.ports.upkeep import Upkeep

__all__ = [
    "HUB",
    "ApprovalStore",
    "ClaimStore",
    "Clock",
    "Destruction",
    "DirectoryStore",
    "FeedCounts",
    "FeedPorts",
    "FeedRecord",
    "FeedStore",
    "Ids",
    "InsurerMoves",
    "JournalReader",
    "KeyHeld",
    "Keys",
    "Log",
    "Mark",
    "MemberFiles",
    "MoveTold",
    "Moved",
    "OpenFile",
    "PaymentStore",
    "Post",
    "ProductStore",
    "PromiseStore",
    "Pseudonyms",
    "Receiving",
    "Rekeying",
    "RightsStore",
    "RightsWork",
    "RightsWorks",
    "Schemas",
    "Settle",
    "Signing",
    "Spooled",
    "Tally",
    "Totals",
    "Upkeep",
]
