"""What HTTP itself asks of a hub: addresses, methods, media types, headers, and refusals that name what was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.claims_hub import LINE, ClaimsHub, claim, played


@pytest.mark.parametrize("path", ["/v1/claims/", "/v1/claims//", "/v1//claims"])
def test_an_id_is_of_its_kind_however_many_slashes_are_written(tmp_path: Path, path: str) -> None:
    async def story(hub: ClaimsHub) -> None:
        status, answer = await hub.call("POST", path, claim())
        assert (status, answer["claim_id"][:4]) == (201, "clm_"), answer
        engagement = await hub.check()
        quoted = await hub.call("POST", path.replace("claims", "quotes"), {"engagement": engagement, "lines": [LINE]})
        assert quoted[1]["quote_id"].startswith("quo_")

    played(tmp_path, story)
