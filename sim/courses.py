"""Visits to those whose guarantees are counted: courses of sessions, quotes that hold each other back, late invoices.

What they must be paid hangs on what the same person was quoted and billed before; the auditor works it out.
"""

from __future__ import annotations

from datetime import timedelta

from sim.contracts import Contract
from sim.exchange import Must
from sim.mistakes import WITH_BASE
from sim.people import Person
from sim.scene import Line, Scene, Writer, engagement_of, later
from sim.truth import covered_until, open_contracts

COUNTED = ("optician", "audio", "dentist", "osteopath", "physiotherapist")  # where tables have limits and counts
WEEKS_BACK = 3  # a claim may hold thirty days of care
AHEAD_DAYS = 5  # between the day a quote was for and the day care was moved to


def counted(scene: Scene) -> tuple[Person, Contract] | None:
    """Somebody at a professional whose acts are counted; the scene moves there."""
    staff = [who for who in scene.world.professionals if who.trade.profession in COUNTED]
    scene.who = scene.draw.choice(staff)
    return scene.somebody()


def weeks_before(scene: Scene, person: Person, contract: Contract, weeks: int) -> list[Line]:
    """Lines of a visit so many weeks ago; none if the person was not covered then.

    A cent dearer for each week, so that they are never those that were billed on that very day.
    """
    day = scene.day - timedelta(weeks=weeks)
    if not open_contracts(scene.world, person, contract.insurer, scene.domain, day):
        return []
    lines = later(scene.lines(person), -7 * weeks)
    return [line | {"expense_cents": line["expense_cents"] + weeks} for line in lines]


def renumbered(lines: list[Line]) -> list[Line]:
    """The same lines, numbered from 1."""
    return [line | {"line": number} for number, line in enumerate(lines, start=1)]


def many(scene: Scene, person: Person) -> list[Line]:
    """The lines of three visits at once, to come near what is counted."""
    first, second, third = (scene.lines(person) for _ in range(3))
    return renumbered([*first, *unsaid(second), *unsaid(third)])


def unsaid(lines: list[Line]) -> list[Line]:
    """The same lines without what is kept back: that of several visits would pass the day's cap (décret n° 2024-114)."""
    return [{name: value for name, value in line.items() if name != "participation_cents"} for line in lines]


def quoted_beside(scene: Scene, person: Person, contract: Contract) -> None:
    """Another engagement and its quote: it shows what the others hold back by now."""
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.quote(check, person, contract.insurer, many(scene, person))


def same_care(one: Line, other: Line) -> bool:
    """Whether a practice would be taken to bill the same care twice."""
    return all(one[name] == other[name] for name in ("act", "date", "expense_cents"))


def quoted_here_billed_there(scene: Scene) -> bool:
    """A quote here, then care at a colleague's: what the first quote promised is held back from the second's claim."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    here = scene.who
    colleagues = [who for who in scene.world.professionals if who.trade is here.trade]
    others = [who for who in colleagues if who.practice.number != here.practice.number]
    if not others:
        return False
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    lines = scene.lines(person)
    scene.quote(check, person, contract.insurer, renumbered([*lines, *unsaid(many(scene, person))]))
    scene.who = scene.draw.choice(others)
    there = many(scene, person)
    scene.claim(scene.unannounced(person, contract, there), scene.accepted(person, contract.insurer, there))
    scene.who = here
    scene.claim_under(check, person, contract.insurer, lines)
    return True


def quoted_again(scene: Scene) -> bool:
    """A second quote under the same engagement takes the place of the first; its claim ignores what it held back."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.quote(check, person, contract.insurer, many(scene, person))
    scene.quote(check, person, contract.insurer, lines)
    quoted_beside(scene, person, contract)
    scene.claim_under(check, person, contract.insurer, lines)
    return True


def billed_in_parts(scene: Scene) -> bool:
    """A quote whose lines are billed one after the other; the first invoice is cancelled in the end."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    lines = many(scene, person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.quote(check, person, contract.insurer, lines)
    first = scene.claim_under(check, person, contract.insurer, lines[:1])
    rest = renumbered([line for line in lines[1:] if not same_care(line, lines[0])])
    if rest:
        body = {"invoice": scene.invoice("-P"), "engagement": engagement_of(check), "lines": rest}
        scene.claim(body, scene.accepted(person, contract.insurer, rest))
    quoted_beside(scene, person, contract)
    scene.cancel(first)
    quoted_beside(scene, person, contract)
    return True


def refused_then_billed(scene: Scene) -> bool:
    """A quote, and a claim of it with a rate that does not exist: refused, it releases nothing; mended, it is paid."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.quote(check, person, contract.insurer, lines)
    wrong = [line | WITH_BASE | {"amo_rate": "37%"} for line in lines]
    must = Must(201, "refused", ("amo_rate_unknown",), person.number, contract.insurer, scene.domain, tuple(wrong))
    scene.claim({"invoice": scene.invoice(), "engagement": engagement_of(check), "lines": wrong}, must)
    quoted_beside(scene, person, contract)
    scene.claim_under(check, person, contract.insurer, lines)
    return True


def moved(scene: Scene) -> bool:
    """A quote for a day to come, and the care given today: what was held back for that day is released."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    last = scene.day + timedelta(days=AHEAD_DAYS)
    if covered_until(scene.world, person, contract, scene.domain, scene.day, last) == last:
        scene.quote(check, person, contract.insurer, later(lines, AHEAD_DAYS))
    scene.claim_under(check, person, contract.insurer, lines)
    quoted_beside(scene, person, contract)
    return True


def course(scene: Scene) -> bool:
    """Sessions over weeks, on one invoice."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    sessions = [weeks_before(scene, person, contract, weeks) for weeks in reversed(range(WEEKS_BACK + 1))]
    lines = renumbered([line for session in sessions for line in session])
    scene.claim(scene.unannounced(person, contract, lines), scene.accepted(person, contract.insurer, lines))
    return True


def late_invoice(scene: Scene) -> bool:
    """Care of some days ago is billed after that of today: both are counted on their days."""
    found = counted(scene)
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    scene.claim(scene.unannounced(person, contract, lines), scene.accepted(person, contract.insurer, lines))
    old = weeks_before(scene, person, contract, scene.draw.randrange(1, WEEKS_BACK + 1))
    if old:
        body = scene.unannounced(person, contract, old) | {"invoice": scene.invoice("-L")}
        scene.claim(body, scene.accepted(person, contract.insurer, old))
    return True


COURSES: tuple[tuple[str, int, Writer], ...] = (  # many more than in life, to see what is counted
    ("quoted_here_billed_there", 60, quoted_here_billed_there),
    ("quoted_again", 40, quoted_again),
    ("billed_in_parts", 40, billed_in_parts),
    ("refused_then_billed", 20, refused_then_billed),
    ("moved", 40, moved),
    ("course", 40, course),
    ("late_invoice", 30, late_invoice),
)
