"""The key of an insurer's letters: a file for its owner alone, drawn once, by which codes are made and checked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from ecluse.breach.letters.code import KEY_BYTES, LetterKey
from ecluse.engines.durable import sync
from ecluse.kernel.errors import refusal

FILE_BYTES_MAX = 4_096

LETTER_KEY_INVALID = refusal(
    "letter_key_invalid",
    422,
    "This is not the key of these letters",
    fix="Name the file that `ecluse letters render` made for this incident and this insurer.",
)


def drawn_once(path: Path, incident: str, insurer: str) -> LetterKey:
    """The key in the file, or a new one written to it where there is none. Raises `letter_key_invalid` for another's."""
    if not path.exists():
        key = LetterKey(incident, insurer, secrets.token_bytes(KEY_BYTES))
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(key))
        sync(part)
        part.rename(path)
        sync(path.parent)
    key = read_key(path)
    if (key.incident, key.insurer) != (incident, insurer):
        raise LETTER_KEY_INVALID("it is of another incident or insurer")
    return key


def read_key(path: Path) -> LetterKey:
    """The key in the file. Raises `letter_key_invalid`; its detail quotes nothing."""
    try:
        with path.open("rb") as file:
            key = msgspec.json.decode(file.read(FILE_BYTES_MAX), type=LetterKey)
    except (OSError, msgspec.DecodeError):
        raise LETTER_KEY_INVALID() from None
    if len(key.key) != KEY_BYTES:
        raise LETTER_KEY_INVALID()
    return key
