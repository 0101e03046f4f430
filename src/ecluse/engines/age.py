"""The `Envelopes` port in the age format, version 1 (https://age-encryption.org/v1): X25519, ChaCha20-Poly1305 in blocks.

Chosen because whoever receives a file needs nothing of ours: `age -d` of any distribution opens it.
"""

from __future__ import annotations

from typing import BinaryIO

from pyrage import DecryptError, IdentityError, RecipientError, decrypt, encrypt, encrypt_io
from pyrage.x25519 import Identity, Recipient

from ecluse.kernel.errors import refusal

KEY_CHARS_MAX = 4096  # a key file of age-keygen has two lines of comments and one of 74 characters

RECIPIENT_INVALID = refusal(
    "recipient_invalid",
    400,
    "This is not an age public key",
    fix="Send the line that begins with age1, as `age-keygen -y key.txt` prints it.",
)
IDENTITY_INVALID = refusal(
    "identity_invalid",
    400,
    "This is not an age secret key",
    fix="Name the file that `age-keygen -o key.txt` made: one line of it begins with AGE-SECRET-KEY-1.",
)
ENVELOPE_SHUT = refusal(
    "envelope_shut",
    409,
    "This file does not open with this key",
    fix="Take the secret key of the public key that the hub had when the file was made, and the file as it was sent.",
)


class Age:
    """Encryption to an X25519 public key (`age1…`)."""

    def recipient(self, text: str) -> str:
        """The one key in this text; lines of comments may stand around it. Raises `recipient_invalid`."""
        lines = _lines(text)
        if len(lines) != 1:
            raise RECIPIENT_INVALID(f"{len(lines)} keys, one was expected")
        try:
            return str(Recipient.from_str(lines[0]))
        except RecipientError:
            raise RECIPIENT_INVALID() from None

    def seal(self, recipient: str, content: bytes) -> bytes:
        """The content, for the holder of that key alone."""
        sealed: bytes = encrypt(content, [Recipient.from_str(recipient)])
        return sealed

    def seal_stream(self, recipient: str, clear: BinaryIO, sealed: BinaryIO) -> None:
        """The same of a stream."""
        encrypt_io(clear, sealed, [Recipient.from_str(recipient)])

    def open(self, identity: str, sealed: bytes) -> bytes:
        """What was sealed. Raises `identity_invalid`, `envelope_shut`."""
        try:
            keys = [Identity.from_str(line) for line in _lines(identity)]
        except IdentityError:
            raise IDENTITY_INVALID() from None
        if not keys:
            raise IDENTITY_INVALID("no key in it")
        try:
            content: bytes = decrypt(sealed, keys)
        except DecryptError:
            raise ENVELOPE_SHUT() from None
        return content


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text[:KEY_CHARS_MAX].splitlines())
    return [line for line in lines if line and not line.startswith("#")]
