"""What the URL of an engine of keys says after its scheme."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from ecluse.kernel.errors import refusal

KEYS_URL_INVALID = refusal(
    "keys_url_invalid", 500, "keys.url does not say where the keys are", fix="Compare with docs/operations.md."
)


def parameters(text: str, separator: str, known: frozenset[str]) -> dict[str, str]:
    """`name=value` pairs, percent-decoded. Raises `keys_url_invalid` for an unknown name: a slip must not go unseen."""
    given = dict(pair.partition("=")[::2] for pair in text.split(separator) if pair)
    if unknown := given.keys() - known:
        raise KEYS_URL_INVALID(f"unknown in keys.url: {', '.join(sorted(unknown))}")
    return {name: unquote(value) for name, value in given.items()}


def secret(directory: Path, place: str, otherwise: str) -> str:
    """The secret in the file `place` (`file:` may stand before it), or the one given `otherwise`. Raises `keys_url_invalid`."""
    if not place:
        return otherwise
    try:
        return (directory / place.removeprefix("file:")).read_text().strip()
    except OSError as broken:
        raise KEYS_URL_INVALID(f"the secret named in keys.url cannot be read: {broken.strerror}") from None
