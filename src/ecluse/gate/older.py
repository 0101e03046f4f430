"""What still holds logins made before a limit was lifted: a few steps, each for logins up to an instant."""

from __future__ import annotations

from typing import NamedTuple


class Older(NamedTuple):
    """A step that logins up to an instant are held to, whatever was lifted since for later ones."""

    step: int
    until_us: int


def joined(older: tuple[Older, ...], more: Older) -> tuple[Older, ...]:
    """With one more, the gravest first; what a graver one holds as long goes, so there is one for each step at most."""
    kept: list[Older] = []
    for each in sorted({*older, more}, reverse=True):
        if not kept or each.until_us > kept[-1].until_us:
            kept.append(each)
    return tuple(kept)
