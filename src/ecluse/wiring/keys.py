"""A hub's keys opened without the hub: copied, brought back, sealed otherwise, and the one the journal is verified with."""

from __future__ import annotations

from pathlib import Path

from ecluse.journal.note import ED25519, Key
from ecluse.kernel.errors import refusal
from ecluse.settings import read_settings
from ecluse.wiring import keys_engine

PASSPHRASE_NONE = refusal(
    "passphrase_none",
    409,
    "No passphrase seals these keys",
    fix="Change the token's PIN, or the key server's token, there.",
)


def backup_keys(directory: Path) -> bytes:
    """A copy of the wrapped keys, seen to open. Raises `keys_missing`, `keys_locked`."""
    module, opening = keys_engine(read_settings(directory), directory)
    copy: bytes = module.handle(opening).copy()
    return copy


def restore_keys(directory: Path, copy: bytes, *, replace: bool) -> list[str]:
    """Put the wrapped keys back; the scopes that have some. Raises `keys_there` unless `replace`, `keys_locked`."""
    module, opening = keys_engine(read_settings(directory), directory)
    scopes: list[str] = module.handle(opening).restore(copy, over=replace)
    return scopes


def change_passphrase(directory: Path, old: str, new: str) -> None:
    """Seal the key file with another passphrase. Raises `passphrase_none`, `passphrase_short`, `keys_missing`, `keys_locked`."""
    module, opening = keys_engine(read_settings(directory), directory)
    if not hasattr(module, "change_passphrase"):
        raise PASSPHRASE_NONE()
    module.change_passphrase(opening, old, new)


def journal_family(directory: Path) -> Key:
    """The verifier key of every log of the hub's journal. Raises `keys_missing`, `keys_locked`."""
    settings = read_settings(directory)
    module, opening = keys_engine(settings, directory)
    return Key(f"{settings.journal.origin}/", ED25519, module.open_keys(opening, new=False).public_key("journal"))
