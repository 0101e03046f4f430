"""A day of care as planned visits, in the order of the day: the same world and day give the same bytes.

Visits follow the rhythm of practices: a morning peak, a hollow at noon, an afternoon peak (assumed), with about 15 % of
the day in the peak hour (docs/simulator.md). The demo plays them in this order, as fast as the hub answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date

from sim.auditor.book import RETURNED, SETTLED, TrueClaim
from sim.crowd import Crowd
from sim.exchange import FULL, Exchange, Must, Visit
from sim.professionals import Professional
from sim.scenarios import BESIDE, SCENARIOS
from sim.scene import Scene, Writer
from sim.seeds import stream, weighted
from sim.world import World

HOURS = (
    (7, 3), (8, 9), (9, 14), (10, 15), (11, 13), (12, 6), (13, 4),
    (14, 9), (15, 11), (16, 9), (17, 8), (18, 6), (19, 3),
)  # fmt: skip
VISITS_PER_MILLE = 180  # visits a day for a thousand people; about 70 in life (docs/simulator.md)
SECOND_THOUGHTS = 10  # per mille of paid claims that are cancelled on a later day; assumed
SECOND_THOUGHTS_FROM = 10_000_000  # visit numbers above those of any day's plan
BESIDE_FROM, BESIDE_PER_MILLE, FEWEST_BESIDE = (
    20_000_000,
    2,
    6,
)  # numbers above all others; two a day for a thousand people
FEWEST_VISITS = 130  # so that even a small world provokes every answer
BUSY = {"pharmacy": 4, "laboratory": 3, "general_practitioner": 3, "nurse": 2}  # visits against the others' 1; assumed


def day_of_care(world: World, day: date) -> list[Visit]:
    """The visits of `day`, in order of time; every scenario is played once at least, if the world has people for it."""
    crowd = Crowd(world, day)
    plan = stream(world.seed, "workload", day)
    count = max(FEWEST_VISITS, len(world.people) * VISITS_PER_MILLE // 1000)
    chosen = [(name, writer) for name, _, writer in SCENARIOS]
    usual = [((name, writer), weight) for name, weight, writer in SCENARIOS]
    chosen += [weighted(plan, usual) for _ in range(count - len(chosen))]
    staff = [(who, BUSY.get(who.trade.profession, 1)) for who in world.professionals]
    visits = []
    for number, (name, writer) in enumerate(chosen):
        draw = stream(world.seed, "visit", day, number)
        who = weighted(draw, staff)
        visit = written(Scene(world, crowd, draw, who, day, number, moment(draw), name), writer)
        if visit.exchanges:
            visits.append(visit)
    visits += beside(world, crowd, day)
    return sorted(visits, key=lambda visit: (visit.at_s, visit.number))


def beside(world: World, crowd: Crowd, day: date) -> list[Visit]:
    """Visits of the kinds of `BESIDE`, in turn: they draw from streams of their own."""
    visits = []
    for number in range(BESIDE_FROM, BESIDE_FROM + max(FEWEST_BESIDE, len(world.people) * BESIDE_PER_MILLE // 1000)):
        draw = stream(world.seed, "beside", day, number)
        writer = BESIDE[number % len(BESIDE)]
        who = draw.choice(world.professionals)
        visit = written(Scene(world, crowd, draw, who, day, number, moment(draw), writer.__name__), writer)
        if visit.exchanges:
            visits.append(visit)
    return visits


def second_thoughts(seed: int, day: date, claims: Iterable[TrueClaim]) -> list[Visit]:
    """Cancellations of claims of the days before, paid or come back from the bank: what was paid is taken back."""
    draw = stream(seed, "second thoughts", day)
    past = sorted((claim for claim in claims if claim.state in (SETTLED, RETURNED)), key=lambda claim: claim.invoice)
    chosen = draw.sample(past, max(1, len(past) * SECOND_THOUGHTS // 1000)) if past else []
    visits = []
    for number, claim in enumerate(chosen, start=SECOND_THOUGHTS_FROM):
        must = Must(200, "cancelled", claim=claim.claim_id)
        path = f"/v1/claims/{claim.claim_id}/cancellation"
        at_s = moment(draw)
        sent = Exchange(
            number, 0, at_s, "paid_then_cancelled", "cancellation", claim.account, FULL, "POST", path, None, must
        )
        visits.append(Visit(number, at_s, sent.scenario, (sent,)))
    return visits


def written(scene: Scene, write: Writer) -> Visit:
    """The visit that `write` puts on the scene; without exchanges when nobody could play it."""
    played = write(scene)
    return Visit(scene.number, scene.at_s, scene.scenario, tuple(scene.exchanges) if played else ())


def moment(draw: random.Random) -> int:
    """A second of the day, by the rhythm of `HOURS`."""
    return 3600 * weighted(draw, HOURS) + draw.randrange(3600)


def staff_by_account(world: World) -> dict[str, Professional]:
    """Professionals by their account."""
    return {who.account: who for who in world.professionals}
