"""What the processes of one hub remember together of DPoP proofs: which were used, and what nonces are keyed by."""

from __future__ import annotations

from typing import Protocol

from ecluse.gate.dpop import Proof, Secrets


class Proofs(Protocol):
    """The memory of proofs. `since_ts`: what was used before that second (Unix) is not remembered."""

    @property
    def since_ts(self) -> int:
        """Since when proofs are remembered."""
        ...

    def secrets(self, now_ts: int) -> Secrets:
        """The secrets of this period and of the one before, the same in every process; drawn anew for each period."""
        ...

    def first(self, proof: Proof, now_ts: int) -> bool:
        """Remember a proof until it is too old; False if it was there. Raises `proofs_full`: then it may not be taken."""
        ...
