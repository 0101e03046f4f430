"""What the journal keeps of a quote: all of it where it fits, the first lines where it does not, and nobody's number."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.app.quoted import open_quote, seal_quote
from ecluse.claims.claim import Priced
from ecluse.claims.control import LINES_MAX
from ecluse.claims.price import reasons
from ecluse.engines.keys.file import KeyFile
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from tests.unit.claims.test_price import billed, payer, shared

INSURER, QUOTE = "0075123456", "quo_01ARZ3NDEKTSV4RRFFQ9"
STATED = {"optam": True, "network": True, "basket": "100S", "side": "left", "age_years": 42, "pathway": "inside"}


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    found = KeyFile(tmp_path / "keys", "")
    found.create(INSURER)
    return found


def priced(guarantees: list[str], count: int = LINES_MAX) -> tuple[Priced, ...]:
    payers = [payer(text, f"C{place}") for place, text in enumerate(guarantees)]
    lines: tuple[Priced, ...] = shared([billed(number, **STATED) for number in range(1, count + 1)], payers)
    return lines


def test_the_longest_quote_of_life_is_kept_whole_and_explained_alike(keys: KeyFile) -> None:
    lines = priced(["TM:100+REST:85[EUR:190/Y][ACTS:3/Y]<=EUR_INCL:1700/24M<=BR_INCL:300", "BR_EXCL:50+EUR:20"])
    sealed = seal_quote(keys, INSURER, b"p" * 16, QUOTE, lines)
    kept = open_quote(keys, INSURER, QUOTE, sealed)
    assert kept.count == len(kept.lines) == LINES_MAX
    assert [reasons(each) for each in kept.lines] == [reasons(each) for each in lines]
    assert not any(each.member_number or each.contract for line in kept.lines for each in line.paid)
    assert not any(use.name for line in kept.lines for each in line.paid for use in each.uses)


def test_a_quote_too_long_for_an_entry_keeps_what_fits_and_says_how_much_it_had(keys: KeyFile) -> None:
    lines = priced(["TM:100+REST:85[EUR:190/Y][ACTS:3/Y]<=EUR_INCL:1700/24M<=BR_INCL:300"] * 9)
    sealed = seal_quote(keys, INSURER, b"p" * 16, QUOTE, lines)
    kept = open_quote(keys, INSURER, QUOTE, sealed)
    assert 0 < len(kept.lines) < kept.count == LINES_MAX
    assert [each.amc_cents for each in kept.lines] == [each.amc_cents for each in lines[: len(kept.lines)]]
    longest = "x" * 128
    entry = Entry(
        FORMAT,
        1 << 60,
        Operation.QUOTE,
        longest,
        longest,
        longest,
        b"p" * 16,
        2,
        1 << 30,
        longest,
        longest,
        longest,
        sealed,
    )
    encode(entry)


def test_a_seal_is_of_one_quote(keys: KeyFile) -> None:
    sealed = seal_quote(keys, INSURER, b"p" * 16, QUOTE, priced(["TM:100"], 1))
    with pytest.raises(Exception, match="seal_broken"):
        open_quote(keys, INSURER, replace_last(QUOTE), sealed)


def replace_last(text: str) -> str:
    return text[:-1] + "0"
