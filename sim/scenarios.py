"""What happens in a day, as a table: name, weight, and the function that writes the visit. Weights: assumed.

Right visits are most of the day; the others provoke, one by one, each answer the public contract promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from sim import mistakes
from sim.contracts import Contract
from sim.courses import COURSES
from sim.crowd import elsewhere
from sim.exchange import Must
from sim.identifiers import nir_key
from sim.people import Person
from sim.scene import Scene, Writer, claim_of, engagement_of, figures_of, of_somebody
from sim.seeds import chance

DEVIS = ("OPTI", "DENT", "AUDI")  # domains where the care follows a devis
OWN_FIGURES = 400  # per mille of quoted claims whose software repeats the amounts of the quote; assumed


@of_somebody
def checked_and_billed(scene: Scene, person: Person, contract: Contract) -> None:
    """The usual visit: rights, care, claim under the engagement."""
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.claim_under(check, person, contract.insurer, scene.lines(person))


@of_somebody
def quoted_and_billed(scene: Scene, person: Person, contract: Contract) -> None:
    """Rights, a quote that the patient reads, then the claim of the same lines."""
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    quote = scene.quote(check, person, contract.insurer, lines)
    if chance(scene.draw, OWN_FIGURES):
        lines = [line | figures_of(quote, place) for place, line in enumerate(lines)]
    scene.claim_under(check, person, contract.insurer, lines)


@of_somebody
def quoted_only(scene: Scene, person: Person, contract: Contract) -> None:
    """A quote that the patient takes home to think about."""
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.quote(check, person, contract.insurer, scene.lines(person))


def by_devis(write: Callable[[Scene, Person, Contract], None]) -> Writer:
    """A scene at an optician's, a dentist's or a hearing-aid maker's: there a devis is approved before the care.

    Not on days that are past for the hub: it approves no care that was given.
    """

    @wraps(write)
    def written(scene: Scene) -> bool:
        if scene.day < scene.world.day:
            return False
        scene.who = scene.draw.choice([who for who in scene.world.professionals if who.trade.domain in DEVIS])
        return of_somebody(write)(scene)

    return written


@by_devis
def approved_and_billed(scene: Scene, person: Person, contract: Contract) -> None:
    """Rights, a devis that is approved, then the claim of what was approved."""
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    approval = scene.approval(check, person, contract.insurer, lines)
    scene.claim_approved(approval, lines, scene.accepted(person, contract.insurer, lines))


@by_devis
def approved_then_dearer(scene: Scene, person: Person, contract: Contract) -> None:
    """The claim costs a euro more than the devis that was approved: refused, then billed as it was approved."""
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    approval = scene.approval(check, person, contract.insurer, lines)
    right = scene.accepted(person, contract.insurer, lines)
    dearer = [line | {"expense_cents": line["expense_cents"] + 100} for line in lines]
    scene.claim_approved(approval, dearer, replace(right, outcome="refused", codes=("approval_exceeded",)))
    scene.claim_approved(approval, lines, right)


@by_devis
def approved_then_dropped(scene: Scene, person: Person, contract: Contract) -> None:
    """A devis that is approved, looked at again, and cancelled."""
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    approval = scene.approval(check, person, contract.insurer, lines)
    scene.of_approval(approval, "approval_shown")
    scene.of_approval(approval, "approval_cancelled")


def looked_through(scene: Scene) -> bool:
    """The practice pages through its own claims and approvals."""
    for kind in ("claims", "approvals"):
        scene.say("show", "GET", f"/v1/{kind}?limit=20", None, Must(200, "listed"))
    return True


@of_somebody
def checked_only(scene: Scene, person: Person, contract: Contract) -> None:
    """A check that is not billed today."""
    scene.check(person, contract.insurer, contract, confirmed=True)


@of_somebody
def billed_unannounced(scene: Scene, person: Person, contract: Contract) -> None:
    """Most claims of today: no check before."""
    lines = scene.lines(person)
    scene.claim(scene.unannounced(person, contract, lines), scene.accepted(person, contract.insurer, lines))


def unknown_person(scene: Scene) -> bool:
    """Somebody without complementary insurance shows an old card."""
    person = scene.crowd.uncovered()
    if person is None:
        return False
    insurer = scene.draw.choice(scene.world.insurers).number
    scene.check(person, insurer, None, confirmed=False)
    return True


def unknown_number(scene: Scene) -> bool:
    """A valid number that belongs to nobody."""
    person = scene.crowd.uncovered()
    if person is None:
        return False
    body = person.nir[:10] + f"{999 - int(person.nir[10:13]):03d}"
    stranger = replace(person, nir=body + nir_key(body), number=-1)
    scene.check(stranger, scene.draw.choice(scene.world.insurers).number, None, confirmed=False)
    return True


def closed_rights(scene: Scene) -> bool:
    """Contracts that are ended, or not yet begun."""
    found = scene.crowd.closed()
    if not found:
        return False
    person, contract = found
    scene.check(person, contract.insurer, contract, confirmed=False)
    return True


def closed_domain(scene: Scene) -> bool:
    """Covered, but not for this care."""
    found = scene.crowd.without_domain(scene.domain)
    if not found:
        return False
    person, contract = found
    scene.check(person, contract.insurer, contract, confirmed=False)
    return True


def other_insurer(scene: Scene) -> bool:
    """The card of the year before: another insurer."""
    found = scene.somebody()
    if not found:
        return False
    person, _ = found
    scene.check(person, elsewhere(scene.world, person, scene.domain, scene.day), None, confirmed=False)
    return True


@of_somebody
def slip_of_the_hand(scene: Scene, person: Person, contract: Contract) -> None:
    """A wrong birth date, put right at the second try, then billed."""
    wrong = replace(scene.other_birth_date(person), number=-1)
    scene.check(wrong, contract.insurer, None, confirmed=False)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    scene.claim_under(check, person, contract.insurer, scene.lines(person))


def sent_twice(scene: Scene) -> bool:
    """The line was cut: the same claim is sent again, and is the same claim."""
    if not checked_and_billed(scene):
        return False
    first = scene.exchanges[-1]
    again = replace(first.must, same_as=first.step)
    scene.claim(body_of(first.body), again)
    return True


def number_used_again(scene: Scene) -> bool:
    """Another invoice under a number that is taken: 409."""
    if not checked_and_billed(scene):
        return False
    body = body_of(scene.exchanges[-1].body)
    dearer = [line | {"expense_cents": line["expense_cents"] + 100} for line in body["lines"]]
    scene.claim(body | {"lines": dearer}, Must(409, "error", ("invoice_reused",)))
    return True


def cancelled(scene: Scene) -> bool:
    """Billed by mistake: cancelled the same day, then looked at."""
    if not checked_and_billed(scene):
        return False
    claim = scene.exchanges[-1].step
    scene.cancel(claim)
    scene.say("show", "GET", f"/v1/claims/{claim_of(claim)}", None, Must(200, "shown", same_as=claim))
    return True


@of_somebody
def replaced(scene: Scene, person: Person, contract: Contract) -> None:
    """Billed wrongly: a new invoice takes the place of the first."""
    lines = scene.lines(person)
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    claim = scene.claim_under(check, person, contract.insurer, lines)
    right = [line | {"expense_cents": line["expense_cents"] + 250} for line in lines]
    body = {"invoice": scene.invoice("-R"), "engagement": engagement_of(check), "lines": right}
    must = replace(scene.accepted(person, contract.insurer, right), ends=claim)
    scene.claim(body | {"replaces": claim_of(claim)}, must)


def looked_at(scene: Scene) -> bool:
    """The practice looks at a claim of its own."""
    if not billed_unannounced(scene):
        return False
    claim = scene.exchanges[-1].step
    scene.say("show", "GET", f"/v1/claims/{claim_of(claim)}", None, Must(200, "shown", same_as=claim))
    return True


def malformed(case: mistakes.Malformed) -> Writer:
    """A question the door refuses, with the status and the code of `case`."""

    def write(scene: Scene) -> bool:
        found = scene.somebody()
        if not found:
            return False
        person, contract = found
        question = scene.question(person, contract.insurer, contract) | {"beneficiary": scene.card(person)}
        scene.ask(case.spoil(question), Must(case.status, "error", case.codes))
        return True

    return write


def wrong_token(kind: str, status: int, code: str) -> Writer:
    """A right question with a token of this kind."""

    def write(scene: Scene) -> bool:
        found = scene.somebody()
        if not found:
            return False
        person, contract = found
        scene.ask(scene.question(person, contract.insurer, contract), Must(status, "error", (code,)), kind)
        return True

    return write


def body_of(body: Any) -> dict[str, Any]:
    """The body of an exchange that has a JSON object."""
    assert isinstance(body, dict)
    return body


USUAL: tuple[tuple[str, int, Writer], ...] = (
    ("checked_and_billed", 300, checked_and_billed),
    ("billed_unannounced", 240, billed_unannounced),
    ("quoted_and_billed", 130, quoted_and_billed),
    ("checked_only", 50, checked_only),
    ("quoted_only", 35, quoted_only),
    ("approved_and_billed", 25, approved_and_billed),
    ("approved_then_dearer", 5, approved_then_dearer),
    ("looked_at", 20, looked_at),
    ("closed_rights", 20, closed_rights),
    ("closed_domain", 15, closed_domain),
    ("unknown_person", 15, unknown_person),
    ("unknown_number", 6, unknown_number),
    ("other_insurer", 15, other_insurer),
    ("slip_of_the_hand", 20, slip_of_the_hand),
    ("sent_twice", 25, sent_twice),
    ("number_used_again", 8, number_used_again),
    ("cancelled", 18, cancelled),
    ("replaced", 15, replaced),
)
WRONG: tuple[tuple[str, int, Writer], ...] = (
    *((f"refused:{name}", 7, writer) for name, writer in mistakes.REFUSED),
    *((f"malformed:{case.name}", 2, malformed(case)) for case in mistakes.MALFORMED),
    *((f"token:{kind}", 4, wrong_token(kind, status, code)) for kind, status, code in mistakes.TOKENS),
)
BESIDE = (approved_then_dropped, looked_through)  # not drawn: so many a day, after the others, which they do not move
SCENARIOS = USUAL + COURSES + WRONG
