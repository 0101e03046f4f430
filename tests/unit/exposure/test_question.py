"""The question after a login is known stolen: what reads, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest

from ecluse.exposure.question import ACCOUNTS_MAX, Question, read_question
from ecluse.kernel.errors import Refused

GOOD: dict[str, Any] = {"accounts": ["rpps:1"], "start": "2026-11-02T00:00:00+01:00", "end": "2026-11-03"}


def read(**changes: Any) -> Question:
    words = GOOD | changes
    return read_question(words.pop("accounts"), words.pop("start"), words.pop("end"), **words)


def test_values_stand_once_and_in_order_and_instants_without_offset_are_utc() -> None:
    question = read(
        accounts=["rpps:2", " rpps:1 ", "rpps:2"],
        insurers=["0075123456"],
        networks=["192.0.2.77", "192.0.2.0/24", "2001:db8:1:2::1"],
        sessions=["s"],
    )
    assert question == Question(
        accounts=("rpps:1", "rpps:2"),
        start_ts_us=1_793_574_000_000_000,
        end_ts_us=1_793_664_000_000_000,
        insurers=("0075123456",),
        sessions=("s",),
        networks=("192.0.2.0/24", "2001:db8:1::/48"),
    )


REFUSED = [
    ({"accounts": []}, "exposure_invalid", "/accounts"),
    ({"start": "1969-01-01", "end": "1969-02-01"}, "exposure_invalid", "/to"),
    ({"start": "2019-01-01", "end": "2019-12-31"}, "exposure_invalid", "/to"),
    ({"accounts": ["  "]}, "exposure_invalid", "/accounts/0"),
    ({"accounts": ["x" * 129]}, "exposure_invalid", "/accounts/0"),
    ({"accounts": ["rpps:1"] * (ACCOUNTS_MAX + 1)}, "exposure_invalid", "/accounts"),
    ({"start": "yesterday"}, "exposure_invalid", "/from"),
    ({"end": ""}, "exposure_invalid", "/to"),
    ({"end": "9999-12-31T23:59:59-23:00"}, "exposure_invalid", "/to"),
    ({"end": "2026-11-01"}, "exposure_invalid", "/to"),
    ({"end": "2029-12-01"}, "exposure_invalid", "/to"),
    ({"networks": ["192.0.0.0/16"]}, "exposure_invalid", "/networks/0"),
    ({"networks": ["home"]}, "exposure_invalid", "/networks/0"),
    ({"insurers": ["x"]}, "amc_invalid", "/insurers/0"),
    ({"sessions": ["x" * 65]}, "exposure_invalid", "/sessions/0"),
]


@pytest.mark.parametrize(("changes", "code", "pointer"), REFUSED)
def test_what_does_not_read_is_refused_at_its_place(changes: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**changes)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
