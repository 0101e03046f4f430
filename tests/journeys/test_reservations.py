"""A quote promises an amount: nobody else can spend what it rests on, until it is billed, replaced or over."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.app.claims import ClaimSent, send_claim
from ecluse.app.quotes import QuoteSent, quote
from ecluse.gate.admission import Request
from tests.conftest import Fresh
from tests.journeys.claims_hub import OTHER_PRACTICE, PRACTICE, ClaimsHub, claim, line, played
from tests.journeys.test_claims_histories import ACCOUNT, ACTS_A_YEAR, CENTS_A_YEAR
from tests.stores import now

PRICES_CENTS = {"OST": 6000, "DIET": 10_000}  # guaranteed by EUR_ACT:30/5Y and EUR_YEAR:250


def care(act: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    cents = PRICES_CENTS[act] * quantity
    return line(act=act, quantity=quantity, expense_cents=cents, base_cents=0, amo_rate="0%", **changes)


async def quoted(hub: ClaimsHub, engagement: str, *lines: dict[str, Any], practice: str = PRACTICE) -> int:
    """What the contracts pay of the lines together, in cents."""
    status, answer = await hub.call("POST", "/v1/quotes", {"engagement": engagement, "lines": list(lines)}, practice)
    assert status == 200, answer
    return int(answer["total"]["amc_cents"])


async def two(hub: ClaimsHub) -> tuple[str, str]:
    """Engagements of the same person, given to two practices."""
    return await hub.check(domain="AUXM"), await hub.check(OTHER_PRACTICE, domain="AUXM")


def test_what_one_quote_promised_the_next_does_not(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        mine, theirs = await two(hub)
        return [
            await quoted(hub, mine, care("OST", 4)),
            await quoted(hub, theirs, care("OST", 4), practice=OTHER_PRACTICE),
            await quoted(hub, mine, care("OST", 4)),  # its own reservation is not counted against it
            await quoted(hub, mine, care("OST")),  # now it needs one only
            await quoted(hub, theirs, care("OST", 4), practice=OTHER_PRACTICE),
        ]

    assert played(tmp_path, story) == [12_000, 3000, 12_000, 3000, 12_000]


def test_a_quote_that_counts_nothing_frees_what_the_one_before_it_reserved(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        mine, theirs = await two(hub)
        await quoted(hub, mine, care("OST", 5))
        before = await quoted(hub, theirs, care("OST"), practice=OTHER_PRACTICE)
        await quoted(hub, mine, line(act="AMI", expense_cents=315, base_cents=315, amo_rate="60%"))
        return [before, await quoted(hub, theirs, care("OST"), practice=OTHER_PRACTICE)]

    assert played(tmp_path, story) == [0, 3000]


def test_a_claim_is_paid_what_was_quoted_and_the_rest_stays_reserved(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        mine, theirs = await two(hub)
        await quoted(hub, mine, care("DIET"), care("DIET", line=2))
        bare = await hub.send(claim("X1", care("DIET"), domain="AUXM"), OTHER_PRACTICE)
        first = await hub.send(claim("F1", care("DIET"), engagement=mine))
        other = await hub.send(claim("X2", care("DIET", 2), engagement=theirs), OTHER_PRACTICE)
        second = await hub.send(claim("F2", care("DIET", 3), engagement=mine))
        return [each["amc_cents"] for each in (bare, first, other, second)]

    assert played(tmp_path, story) == [5000, 10_000, 0, 10_000]


def test_a_reservation_ends_with_its_engagement(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        mine, _ = await two(hub)
        await quoted(hub, mine, care("OST", 5))
        paid = []
        for days in (30, 1):
            hub.clock.instant += timedelta(days=days)
            day = hub.clock.instant.date().isoformat()
            theirs = await hub.check(OTHER_PRACTICE, domain="AUXM", care_date=day)
            paid.append(await quoted(hub, theirs, care("OST", date=day), practice=OTHER_PRACTICE))
        return paid

    assert played(tmp_path, story) == [0, 3000]


def test_a_cancelled_claim_gives_its_acts_back(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> list[int]:
        mine, theirs = await two(hub)
        spent = await hub.send(claim("F1", care("OST", 5), engagement=mine))
        before = await quoted(hub, theirs, care("OST"), practice=OTHER_PRACTICE)
        status, _ = await hub.call("POST", f"/v1/claims/{spent['claim_id']}/cancellation", {})
        assert status == 200
        return [before, await quoted(hub, theirs, care("OST"), practice=OTHER_PRACTICE)]

    assert played(tmp_path, story) == [0, 3000]


ASKER = replace(ACCOUNT, scopes=frozenset({"rights", "claims"}))
Step = tuple[str, int, str, int]  # a quote or a claim, under which engagement, of what care, how many
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["quote", "claim"]), st.integers(0, 2), st.sampled_from(sorted(PRICES_CENTS)), st.integers(1, 3)
    ),
    min_size=2,
    max_size=8,
)


def test_quotes_and_claims_at_once_never_promise_the_same_euro(fresh_store: Fresh, examples: int) -> None:
    """What was paid, and what the last quote of each engagement still promises, is within the contract."""

    @settings(max_examples=examples, deadline=None)
    @given(STEPS)
    def some_order(steps: list[Step]) -> None:
        with fresh_store() as url, tempfile.TemporaryDirectory() as place:
            now(at_once(ClaimsHub(Path(place), url), steps))

    some_order()


async def at_once(hub: ClaimsHub, steps: list[Step]) -> None:
    """All steps at the same time; then what was used and what is promised are within the contract."""
    try:
        await hub.open()
        engagements = [await hub.check(domain="AUXM") for _ in range(3)]

        async def act(n: int, step: Step) -> None:
            what, place, act_, quantity = step
            asked = Request(ASKER, hub.hub.ids.new("clm_"))
            sent: dict[str, Any] = {"engagement": engagements[place], "lines": [care(act_, quantity)]}
            if what == "quote":
                await quote(hub.hub, asked, msgspec.convert(sent, QuoteSent))
            else:
                await send_claim(hub.hub, asked, msgspec.convert(sent | {"invoice": f"F{n}"}, ClaimSent))

        await asyncio.gather(*(act(n, step) for n, step in enumerate(steps)))
        rows = hub.rows("SELECT acts, cents FROM consumed UNION ALL SELECT acts, cents FROM reserved")
        assert all(acts >= 0 and cents >= 0 for acts, cents in rows)
        assert sum(acts for acts, _ in rows) <= ACTS_A_YEAR
        assert sum(cents for _, cents in rows) <= CENTS_A_YEAR
    finally:
        await hub.close()
