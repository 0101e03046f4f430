"""Several processes of one hub at once on one store: whatever they do at the same time, the books are those of some order."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecluse.app.claims import Cancellation, ClaimSent, cancel_claim, send_claim
from ecluse.engines.postgres.database import Database
from ecluse.engines.postgres.server import Server
from ecluse.gate.admission import Request
from ecluse.kernel.errors import Refused
from ecluse.payments.reconcile import Movement
from ecluse.payments.run import RunPlan
from ecluse.payments.transfer import bank_reference
from tests.conftest import Fresh
from tests.journeys.claims_hub import INSURER, PRACTICE, ClaimsHub, claim, line
from tests.journeys.test_claims_histories import ACCOUNT, ACTS_A_YEAR, CENTS_A_YEAR, LINES, body
from tests.stores import now

PROCESSES = 3
DAY = date(2026, 11, 23)
ORDERED: dict[str, Callable[[int], set[int]]] = {  # what remittances the bank did not send back may hold of a claim
    "accepted": lambda _: {0},
    "returned": lambda _: {0},
    "refused": lambda _: {0},
    "cancelled": lambda cents: {0, cents, -cents},  # below zero: it was taken back, then its own transfer came back
}
DIFFERENT = {"invoice_reused", "move_not_allowed"}  # what one is told who came second


class Hubs:
    """The processes of one hub, and what they were told: claims by id, as they were sent."""

    def __init__(self, directory: Path, url: str) -> None:
        self.all = [ClaimsHub(directory, url) for _ in range(PROCESSES)]
        self.rows = self.all[0].rows
        self.claims: dict[str, tuple[dict[str, Any], Any]] = {}
        self._statements = itertools.count(1)

    async def open(self) -> None:
        for hub in self.all:
            await hub.open()
        await self.all[0].stores.directory.put_payees([(PRACTICE, b"sealed")])

    async def close(self) -> None:
        for hub in self.all:
            await hub.close()

    async def at_once(self, acts: list[Callable[[ClaimsHub], Awaitable[Any]]]) -> list[Any]:
        """Each act in one of the processes, all at once; a refusal of one who came second is its answer."""

        async def one(n: int, act: Callable[[ClaimsHub], Awaitable[Any]]) -> Any:
            try:
                return await act(self.all[n % PROCESSES])
            except Refused as refused:
                if refused.code not in DIFFERENT:
                    raise
                return refused.code

        return await asyncio.gather(*(one(n, act) for n, act in enumerate(acts)))

    def send(self, sending: dict[str, Any]) -> Callable[[ClaimsHub], Awaitable[Any]]:
        async def act(hub: ClaimsHub) -> Any:
            asked = Request(ACCOUNT, hub.hub.ids.new("clm_"))
            answer = (await send_claim(hub.hub, asked, msgspec.convert(sending, ClaimSent))).answer
            self.claims[answer.claim_id] = (sending, answer)
            return answer

        return act

    def cancel(self, claim_id: str) -> Callable[[ClaimsHub], Awaitable[Any]]:
        async def act(hub: ClaimsHub) -> Any:
            asked = Request(ACCOUNT, hub.hub.ids.new("req_"))
            return (await cancel_claim(hub.hub, asked, claim_id, Cancellation())).answer

        return act

    async def run(self, hub: ClaimsHub) -> Any:
        return await hub.stores.payments.order(RunPlan(DAY, DAY, 1, b"debtor"))

    def bank(self, remittance: str, cents: int, *, back: bool) -> Callable[[ClaimsHub], Awaitable[Any]]:
        reason = "AC04" if back else ""
        line_ = Movement(1, DAY, cents, "EUR", back, True, bank_reference(remittance), "", back, reason)
        digest = f"statement {next(self._statements)}"
        return lambda hub: hub.stores.payments.read_statement(digest, [line_], 1)

    def check(self) -> None:
        """Nothing is lost, counted twice, spent twice or ordered twice."""
        states = dict(self.rows("SELECT id, state FROM claim"))
        self.check_money(states)
        self.check_moves(states)
        self.check_used(states)

    def check_money(self, states: dict[str, str]) -> None:
        entries = self.rows("SELECT entry, sum(amount_cents) FROM posting GROUP BY entry")
        assert {total for _, total in entries} <= {0}
        live: Counter[str] = Counter()
        for claim_id, cents in self.rows("SELECT l.claim, l.amount_cents FROM remittance_line l JOIN remittance r ON r.id = l.remittance WHERE r.state <> 'returned'"):  # fmt: skip # noqa: E501
            live[claim_id] += cents
        called: Counter[str] = Counter()
        for claim_id, cents in self.rows("SELECT claim, amount_cents FROM call_line"):
            called[claim_id] += cents
        owed = 0
        for claim_id, cents, state in self.rows("SELECT id, amc_cents, state FROM claim"):
            assert live[claim_id] in ORDERED.get(state, lambda cents: {cents})(cents), (claim_id, state)
            assert called[claim_id] in {0, cents}, (claim_id, state)
            owed += cents if state not in ("refused", "cancelled") else 0
        balances = dict(self.rows("SELECT account, sum(amount_cents) FROM posting GROUP BY account"))
        assert balances.get(f"insurer:{INSURER}", 0) == owed
        assert -balances.get(f"practice:{PRACTICE}", 0) == owed - sum(live.values())

    def check_moves(self, states: dict[str, str]) -> None:
        lives: dict[str, list[tuple[int, str]]] = {}
        for claim_id, n, state in self.rows("SELECT claim, n, state FROM claim_move ORDER BY claim, n"):
            lives.setdefault(claim_id, []).append((n, state))
        assert lives.keys() == states.keys() == self.claims.keys()
        for claim_id, moves in lives.items():
            assert [n for n, _ in moves] == list(range(1, len(moves) + 1))
            assert moves[-1][1] == states[claim_id]
        held = [invoice for (invoice,) in self.rows("SELECT invoice FROM claim WHERE state <> 'refused'")]
        assert len(held) == len(set(held))

    def check_used(self, states: dict[str, str]) -> None:
        standing = [self.claims[each] for each, state in states.items() if state not in ("refused", "cancelled")]
        found = {int(year): (acts, cents) for year, acts, cents in self.rows("SELECT substr(day, 1, 4), sum(acts), sum(cents) FROM consumed GROUP BY 1")}  # fmt: skip # noqa: E501
        for year in (2025, 2026):
            spent = {
                act: sum(
                    split.amc_cents
                    for sending, answer in standing
                    for split, billed in zip(answer.lines, sending["lines"], strict=True)
                    if billed["act"] == act and billed["date"].startswith(str(year))
                )
                for act in ("OST", "DIET")
            }
            assert found.get(year, (0, 0)) == (spent["OST"] // 3000, spent["DIET"])
            assert spent["OST"] // 3000 <= ACTS_A_YEAR
            assert spent["DIET"] <= CENTS_A_YEAR


def played(url: str, directory: Path, story: Callable[[Hubs], Awaitable[None]]) -> None:
    async def play() -> None:
        hubs = Hubs(directory, url)
        try:
            await hubs.open()
            await story(hubs)
            hubs.check()
        finally:
            await hubs.close()

    now(play())


def session(n: int, act: str = "OST", cents: int = 6000, **fields: Any) -> dict[str, Any]:
    billed = line(act=act, date="2026-11-10", base_cents=0, amo_rate="0%", expense_cents=cents + n)
    return claim(f"I{n}", billed, domain="AUXM", **fields)


def test_one_claim_sent_by_everybody_at_once_is_one(store_url: str, tmp_path: Path) -> None:
    async def story(hubs: Hubs) -> None:
        answers = await hubs.at_once([hubs.send(session(1)) for _ in range(20)])
        assert len({answer.claim_id for answer in answers}) == 1
        assert len(hubs.rows("SELECT id FROM claim")) == 1

    played(store_url, tmp_path, story)


@pytest.mark.parametrize(("act", "cents", "spent"), [("OST", 6000, 15_000), ("DIET", 7000, 25_000)])
def test_claims_of_one_person_at_once_spend_no_euro_twice(
    store_url: str, tmp_path: Path, act: str, cents: int, spent: int
) -> None:
    async def story(hubs: Hubs) -> None:
        answers = await hubs.at_once([hubs.send(session(n, act, cents)) for n in range(12)])
        assert sum(answer.amc_cents for answer in answers) == spent

    played(store_url, tmp_path, story)


def test_two_runs_at_once_order_each_claim_once(store_url: str, tmp_path: Path) -> None:
    async def story(hubs: Hubs) -> None:
        await hubs.at_once([hubs.send(session(n)) for n in range(6)])
        runs = await hubs.at_once([hubs.run] * PROCESSES)
        assert sorted(run.run is None for run in runs) == [False, True, True]
        assert hubs.rows("SELECT count(*), count(DISTINCT claim) FROM remittance_line") == [(6, 6)]

    played(store_url, tmp_path, story)


def test_cancelling_while_a_run_pays(store_url: str, tmp_path: Path) -> None:
    async def story(hubs: Hubs) -> None:
        answers = await hubs.at_once([hubs.send(session(n)) for n in range(8)])
        await hubs.at_once([hubs.run, *(hubs.cancel(answer.claim_id) for answer in answers[:5]), hubs.run])
        hubs.check()
        await hubs.at_once([hubs.run])

    played(store_url, tmp_path, story)


def test_a_claim_replaced_by_several_and_cancelled_at_once_is_replaced_once_at_most(
    store_url: str, tmp_path: Path
) -> None:
    async def story(hubs: Hubs) -> None:
        (first,) = await hubs.at_once([hubs.send(session(0))])
        replacing = [hubs.send(session(n, replaces=first.claim_id)) for n in range(1, 6)]
        answers = await hubs.at_once([*replacing[:3], hubs.cancel(first.claim_id), *replacing[3:]])
        accepted = [each for each in answers if getattr(each, "status", "") == "accepted"]
        assert len(accepted) <= 1
        moves = hubs.rows("SELECT move FROM claim_move WHERE claim = ? ORDER BY n", first.claim_id)
        assert moves == [("accept",), ("cancel",)]

    played(store_url, tmp_path, story)


def test_a_statement_and_a_run_and_a_cancellation_at_once(store_url: str, tmp_path: Path) -> None:
    async def story(hubs: Hubs) -> None:
        answers = await hubs.at_once([hubs.send(session(n)) for n in range(4)])
        await hubs.at_once([hubs.run])
        ((remittance, cents),) = hubs.rows("SELECT id, amount_cents FROM remittance")
        back = hubs.bank(remittance, cents, back=True)
        await hubs.at_once([back, hubs.run, hubs.cancel(answers[0].claim_id), back, hubs.run])

    played(store_url, tmp_path, story)


PICK = st.integers(0, 1000)
ACTS = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 9), LINES),
    st.tuples(st.just("replace"), st.integers(10, 19), LINES, PICK),
    st.tuples(st.just("again"), PICK),
    st.tuples(st.just("cancel"), PICK),
    st.tuples(st.just("run")),
    st.tuples(st.just("bank"), PICK, st.booleans()),
)


def acts_of(hubs: Hubs, drawn: list[Any]) -> list[Callable[[ClaimsHub], Awaitable[Any]]]:
    """What the drawn acts are, with the claims and transfers there are now."""
    claims = sorted(hubs.claims)
    transfers = hubs.rows("SELECT id, amount_cents FROM remittance ORDER BY id")
    acts: list[Callable[[ClaimsHub], Awaitable[Any]]] = []
    for what, *given_ in drawn:
        if what == "send":
            acts.append(hubs.send(body(f"I{given_[0]}", given_[1])))
        elif what == "replace" and claims:
            acts.append(hubs.send(body(f"I{given_[0]}", given_[1], replaces=claims[given_[2] % len(claims)])))
        elif what == "again" and claims:
            acts.append(hubs.send(hubs.claims[claims[given_[0] % len(claims)]][0]))
        elif what == "cancel" and claims:
            acts.append(hubs.cancel(claims[given_[0] % len(claims)]))
        elif what == "run":
            acts.append(hubs.run)
        elif what == "bank" and transfers:
            remittance, cents = transfers[given_[0] % len(transfers)]
            acts.append(hubs.bank(remittance, cents, back=given_[1]))
    return acts


def test_whatever_happens_at_once_happened_in_some_order(fresh_store: Fresh, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rounds=st.lists(st.lists(ACTS, min_size=2, max_size=9), min_size=2, max_size=6))
    def histories(rounds: list[list[Any]]) -> None:
        async def story(hubs: Hubs) -> None:
            for drawn in rounds:
                await hubs.at_once(acts_of(hubs, drawn))
                hubs.check()

        with fresh_store() as url, tempfile.TemporaryDirectory() as place:
            played(url, Path(place), story)

    histories()


def test_two_that_wait_for_each_other_both_end(postgres_url: str) -> None:
    """PostgreSQL ends one of two units that wait for each other; it is run again from its beginning."""
    begun = Counter[str]()

    async def story() -> None:
        server = Server("home", postgres_url, 4)
        database = Database(server)

        async def crossing(first: str, second: str) -> str:
            async def work(tx: Any) -> str:
                begun[first] += 1
                await tx.hold(first)
                await asyncio.sleep(0.1)
                await tx.hold(second)
                return first

            return await database.write(work)

        assert await asyncio.gather(crossing("a", "b"), crossing("b", "a")) == ["a", "b"]
        await server.close()

    now(story())
    assert sorted(begun.values()) == [1, 2]
