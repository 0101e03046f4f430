"""Files that only one reader can open: who encrypts needs the reader's public key and keeps no way to open them again."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class Envelopes(Protocol):
    """Encryption to a public key."""

    def recipient(self, text: str) -> str:
        """The public key this text is, in its one form. Raises `recipient_invalid`."""
        ...

    def seal(self, recipient: str, content: bytes) -> bytes:
        """The content, for the holder of that key alone; two calls never give the same bytes."""
        ...

    def seal_stream(self, recipient: str, clear: BinaryIO, sealed: BinaryIO) -> None:
        """The same of what is read from `clear`, written to `sealed`; a little of it is in memory at a time. Blocks."""
        ...

    def open(self, identity: str, sealed: bytes) -> bytes:
        """What was sealed, by the text of a secret key's file. Raises `identity_invalid`, `envelope_shut`."""
        ...
