"""Codes: a pass is alphanumeric, which keeps them small, and both pictures are what they say."""

from __future__ import annotations

import json

import pytest
import segno

from ecluse.formats.qr import CORRECTION, FORMATS
from tests.vectors.passes.make import FILE

TAKEN = {each["name"]: each["text"] for each in json.loads(FILE.read_text())["taken"]}


@pytest.mark.parametrize(
    ("name", "chars_max", "version_max"),
    [("a pass on paper", 217, 8), ("a pass with a holder's key", 244, 9), ("shown live", 439, 13)],
)
def test_a_code_stays_small(name: str, chars_max: int, version_max: int) -> None:
    """As docs/passes.md says."""
    code = segno.make_qr(TAKEN[name], error=CORRECTION, boost_error=False)
    assert len(TAKEN[name]) <= chars_max
    assert (int(code.version) <= version_max, code.mode) == (True, "alphanumeric")


def test_pictures_are_what_they_say() -> None:
    text = TAKEN["a pass on paper"]
    assert FORMATS["png"](text).startswith(b"\x89PNG\r\n")
    assert b"<svg" in FORMATS["svg"](text)
    assert FORMATS["svg"](text) == FORMATS["svg"](text)
