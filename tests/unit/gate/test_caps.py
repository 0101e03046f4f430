"""The table of caps that comes with the hub, and what is refused of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.kernel.errors import Refused
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
        read_caps(tmp_path, "caps.toml")
