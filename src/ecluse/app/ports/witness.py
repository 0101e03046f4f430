"""What a witness keeps: its keys, the logs it watches, and the last head of each that it signed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ecluse.journal.note import Key, Signature


class WitnessBook(Protocol):
    """A witness's book. Blocks; what is kept is on disk when a method returns. Raises `witness_damaged`."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The witness's own keys, as others configure them."""
        ...

    def trusted(self) -> tuple[Key, ...]:
        """The logs watched, or families of logs; read again each time."""
        ...

    def cosign(self, note_text: str) -> tuple[Signature, ...]:
        """Cosignatures of a checkpoint's text, now, by every key."""
        ...

    def alone(self) -> AbstractContextManager[object]:
        """While it lasts nobody else reads the last head and keeps another."""
        ...

    def last(self, origin_hash: str) -> str | None:
        """The note kept last for a log; None when none ever was."""
        ...

    def keep(self, origin_hash: str, note: str) -> None:
        """Keep the note as the last of its log."""
        ...

    def keep_refused(self, origin_hash: str, note: str) -> None:
        """Keep a signed head that does not continue the last one: it may prove that the log has two histories."""
        ...
