"""The command line loads what is typed: a command that has a module for itself is not paid for by its neighbours."""

from __future__ import annotations

import pytest

from ecluse.doors.cli.main import needed

LETTERS = ["letters", "letters render", "letters batch", "letters who-looked", "letters professionals", "letters check"]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ([], []),
        (["demo"], []),
        (["letters"], LETTERS),
        (["letters", "--help"], LETTERS),
        (["letters", "lint"], ["letters"]),
        (["letters", "check", "ABCD"], ["letters", "letters check"]),
        (["letters", "unheard-of"], ["letters"]),
    ],
)
def test_only_what_is_typed_is_loaded(words: list[str], rows: list[str]) -> None:
    assert needed(words) == rows
