"""What engines share whose keys are outside this process: names, and the refusal when they do not answer."""

from __future__ import annotations

import os

from ecluse.kernel.errors import refusal

KEYS_UNREACHABLE = refusal(
    "keys_unreachable",
    503,
    "The place where the keys are does not answer",
    fix="Look at the token or the key server, its PIN or its token; then try again.",
)


def new_name(what: str) -> str:
    """A name that was never used: a key made again after a loss must not be taken for the one lost."""
    return f"ecluse.{what}.{os.urandom(6).hex()}"
