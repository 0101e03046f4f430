"""Whoever asks for a long work again while it is under way is told to wait; others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecluse.app.exposure.ask import AT_ONCE
from ecluse.app.products import load_product
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import AMC, PRODUCT, bearer, make, played

OTHER_AMC = "0075999999"


def exposed(hub: OpenHub, insurer: str) -> Any:
    """What the hub says to an insurer that asks who of its members was shown something, in a window long over."""
    asked = {"accounts": ["rpps:10000000019"], "from": "2025-01-01T00:00:00Z", "to": "2025-01-02T00:00:00Z"}
    headers = bearer(hub, insurer, "exposure:own") | {"Content-Type": "application/json"}
    return played(hub, lambda client: client.post("/v1/exposures", json=asked, headers=headers)).json()


def test_an_insurer_asks_one_exposure_at_a_time(tmp_path: Path) -> None:
    with open_hub(make(tmp_path / "hub")) as hub:
        hub.run(load_product(hub, OTHER_AMC, PRODUCT))
        with hub.at_once.one(AT_ONCE, AMC):
            waits, others = exposed(hub, AMC), exposed(hub, OTHER_AMC)
        assert (waits["status"], waits["code"]) == (429, "too_many_at_once")
        assert others.get("code") != "too_many_at_once"
        assert exposed(hub, AMC).get("code") != "too_many_at_once"
