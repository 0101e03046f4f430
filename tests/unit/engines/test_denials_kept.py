"""What one insurer's word may do is bounded whatever it says in whatever order, and what was said is the same made anew."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.ports.openings import Denial
from ecluse.engines.sqlite.openings import LocalOpenings
from ecluse.gate.denials import ACCOUNT_MIN, ALL_MIN, Weight, weight
from tests.laws import examples

DAY_US = 86_400_000_000
CAP = 12  # a practice that starts again: a quarter of it is less than the least that counts
SAID = st.tuples(
    st.integers(0, 50), st.integers(0, 3), st.integers(0, 5), st.integers(0, 9), st.sampled_from([False] * 5 + [True])
)


def denial(number: int, insurer: int, account: int, day: int, is_staff: bool) -> Denial:
    """The `number`-th opening says whose it is: one id is one opening of one insurer and account."""
    insurer, account = (insurer + number) % 3, (account + number) % 4
    return Denial(
        id=bytes([number, insurer, account]) + bytes(13),
        insurer=f"00750000{insurer:02}",
        account=f"rpps:{account}",
        practice="370000028",
        opened_us=1_796_000_000_000_000,
        at_us=1_796_000_000_000_000 + day * DAY_US,
        said_by="a.martin" if is_staff else f"amc:{insurer}",
        is_staff=is_staff,
    )


@examples(60)
@given(st.lists(SAID, max_size=60), st.randoms(use_true_random=False))
def test_one_insurers_word_is_bounded_and_is_the_same_made_anew(said: list[Any], order: random.Random) -> None:
    with tempfile.TemporaryDirectory(prefix="ecluse-denials-") as home:
        places = [Path(home) / name for name in ("kept", "anew")]
        for place in places:
            place.mkdir()
        kept, anew = map(LocalOpenings, places)
        entries: list[Denial] = []
        for one in said:
            given_ = denial(*one)
            decided, is_done = kept.deny(given_, lambda told: weight(told, CAP))
            if is_done:  # said before, and answered the same; an operator's word counts whatever was said
                assert decided in entries
                assert decided.weight is Weight.COUNTED or not given_.is_staff
                continue
            entries.append(decided)
            kept.settle(decided)
            assert kept.deny(decided, lambda _: Weight.HELD) == (decided, True)
        found = kept.denials("", "", 1_000)
        counted = [each for each in found if each.weight is Weight.COUNTED and not each.is_staff]
        assert max(Counter((each.insurer, each.account) for each in counted).values(), default=0) <= ACCOUNT_MIN
        assert max(Counter(each.insurer for each in counted).values(), default=0) <= ALL_MIN
        order.shuffle(entries)
        anew.follow("2026-11-w0", len(entries), [], entries)
        assert anew.denials("", "", 1_000) == found
        for each in (kept, anew):
            each.close()
