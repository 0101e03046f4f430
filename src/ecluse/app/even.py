"""A question about nobody takes as long as one about somebody not covered: where no rights are found, a decoy is opened.

Without it the two are 60 µs apart, and a thousand questions tell (bench/timing.py). What is left: somebody with several
contracts takes 5 µs more for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from ecluse.app.ports import HUB, Keys
from ecluse.kernel.days import FOREVER, Period, parse_day
from ecluse.rights.check import open_rights
from ecluse.rights.model import Covered, Domain, Right

_ABOUT = b"decoy|1"
_NOBODY = Right(
    "decoy",
    "decoy",
    "decoy",
    (Domain.MED, Domain.PHAR),
    Period(parse_day("2020-01-01"), FOREVER),
    "SV",
    "0001",
    True,
    1,
)
_right = msgspec.msgpack.Decoder(Right).decode
_BEFORE, _SINCE = parse_day("2019-12-31"), parse_day("2020-01-01")  # days on which the decoy is not covered, and is
_sealed: WeakKeyDictionary[Keys, bytes] = WeakKeyDictionary()  # sealed once a process: a key seals 2^32 times at most


def found_or_decoy(keys: Keys, rights: Sequence[Right]) -> Sequence[Right]:
    """The rights that were found, after the work of opening one where there was none."""
    if not rights:
        if keys not in _sealed:
            _sealed[keys] = keys.seal(HUB, msgspec.msgpack.encode(_NOBODY), _ABOUT)
        open_rights([_right(keys.open(HUB, _sealed[keys], _ABOUT))], Domain.MED, _BEFORE)
    return rights


def evened(opened: Sequence[Covered]) -> None:
    """Makes both cases cost the same, 3 µs: each also does the other's work, on the decoy.

    For where both may be answered alike, because an allowance is spent; elsewhere the answer itself tells.
    """
    open_rights([_NOBODY], Domain.MED, _BEFORE if opened else _SINCE)
