"""The key of an insurer's letters: a file for its owner alone, drawn once, by which codes are made and checked."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from ecluse.breach.letters.code import KEY_BYTES, LetterKey
from ecluse.engines.durable import write_whole
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
        write_whole(path, msgspec.json.encode(key), mode=0o600)
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
