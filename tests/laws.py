"""How many examples a law is tried on: a law of hypothesis that wants another number than the profile's hundred says it here."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

WHOLE = 100  # what `make test` plays where nothing is said; tests/conftest.py has the profiles


def examples(count: int, **more: Any) -> settings:
    """So many in `make test`, and the same share of them as of any other where the profile is a quick one; at least three."""
    return settings(max_examples=max(3, count * settings().max_examples // WHOLE), **more)
