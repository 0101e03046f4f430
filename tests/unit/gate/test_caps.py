"""The table of caps that comes with the hub, what is refused of one's own, and the wider ones of a hub that begins."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import astuple

from ecluse.gate.allowance import CapTable
from ecluse.kernel.errors import Refused
from ecluse.settings import GateSettings
from ecluse.wiring.gate import built_in_caps, read_caps
from sim.professionals import TRADES

ROW = "{ debt = 5, burst = 1, refill_per_day = 1, yearly = 5 }"


def test_every_profession_of_the_simulator_has_a_row_and_others_get_the_least() -> None:
    table = built_in_caps()
    assert {trade.profession for trade in TRADES} <= table.professions.keys()
    assert table.of("astrologer") == table.professions["other"]
    assert table.of("medecin") == table.professions["general_practitioner"]
    assert min(caps.debt for caps in table.professions.values()) == table.of("").debt


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"as_of = 2026-01-01\nsource = 'x'\n[professions]\npharmacy = {ROW}",  # no `other`
        f"as_of = 2026-01-01\nsource = 'x'\n[names]\na = 'b'\n[professions]\nother = {ROW}",
        "as_of = 2026-01-01\nsource = 'x'\n[professions]\nother = { debt = 0, burst = 1, refill_per_day = 1, yearly = 5 }",
        f"as_of = 2026-01-01\nsource = 'x'\nmore = 1\n[professions]\nother = {ROW}",
    ],
)
def test_a_table_that_would_leave_somebody_without_caps_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "caps.toml").write_text(text)
    with pytest.raises(Refused, match="caps_invalid"):
        read_caps(tmp_path, GateSettings(caps="caps.toml"))


LAST = date(2027, 3, 31)
DAY = (LAST - date(1970, 1, 1)).days
PHYSIO, GP = "physiotherapist", "general_practitioner"


def begun(profession: str, day: int | None) -> tuple[float, ...]:
    """How many times as wide each cap is on a day."""
    table = read_caps(Path(), GateSettings(beginning_until=LAST.isoformat()))
    wide, usual = table.of(profession, day), built_in_caps().of(profession)
    names = ("burst", "refill_per_day", "debt", "yearly")
    return tuple(round(getattr(wide, name) / getattr(usual, name), 1) for name in names)


BEGINNINGS = [
    (GP, 0, (1.5, 1.5, 3.0, 3.0)),  # 90 % of questions are about new people, where 30 % usually are
    (PHYSIO, 0, (1.5, 1.5, 6.0, 6.0)),
    ("radiologist", 0, (1.2, 1.2, 1.2, 1.2)),
    (GP, 1, (1.0, 1.0, 3.0, 3.0)),  # what was opened on the last day weighs for thirty more
    (GP, 30, (1.0, 1.0, 3.0, 3.0)),
    (GP, 31, (1.0, 1.0, 1.0, 1.0)),
    (GP, None, (1.0, 1.0, 1.0, 1.0)),
]


@pytest.mark.parametrize(("profession", "after", "times"), BEGINNINGS)
def test_a_beginning_widens_caps_and_ends_by_itself(
    profession: str, after: int | None, times: tuple[float, ...]
) -> None:
    assert begun(profession, None if after is None else DAY + after) == times
    assert begun(profession, DAY - 500 if after == 0 else DAY + 500) == (times if after == 0 else (1.0,) * 4)


def test_a_beginning_never_narrows_and_is_read_again_as_it_was_journalled() -> None:
    table = read_caps(Path(), GateSettings(beginning_until="2027-03-31"))
    assert msgspec.json.decode(msgspec.json.encode(table), type=CapTable) == table
    for profession in table.professions:
        days = [table.of(profession, DAY + after) for after in (-1, 0, 1, 30, 31)]
        for before, after in pairwise(days):
            assert all(one >= other for one, other in zip(astuple(before), astuple(after), strict=True))
        assert table.widest(DAY).debt >= days[0].debt
    assert table.widest() == built_in_caps().widest()


@pytest.mark.parametrize("until", ["soon", "2027-02-30"])
def test_a_beginning_without_a_day_is_refused(until: str) -> None:
    with pytest.raises(Refused, match="caps_invalid"):
        read_caps(Path(), GateSettings(beginning_until=until))
