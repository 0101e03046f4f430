"""What goes wrong in a practice, one mistake at a time, with the code the hub must answer with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from sim import exchange
from sim.contracts import Contract
from sim.exchange import Must
from sim.identifiers import nir_key
from sim.people import Person
from sim.scene import Line, Scene, Writer, engagement_of, later, of_somebody

Body = dict[str, Any]
Found = tuple[Person, Contract] | None


def not_covered(scene: Scene) -> bool:
    """A claim for someone whose contracts are all closed."""
    return refused(scene, scene.crowd.closed(), NOT_COVERED, same)


def domain_not_covered(scene: Scene) -> bool:
    """A claim for care the contract leaves out."""
    return refused(scene, scene.crowd.without_domain(scene.domain), NOT_COVERED, same)


def refused(scene: Scene, found: Found, codes: tuple[str, ...], spoil: Callable[[Line], Line]) -> bool:
    """A claim without a check for `found`, whose every line was spoilt, refused with one of `codes`."""
    if not found:
        return False
    person, contract = found
    lines = [spoil(line) for line in scene.lines(person)]
    must = Must(201, "refused", codes, person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim(scene.unannounced(person, contract, lines), must)
    return True


def spoilt(code: str, spoil: Callable[[Line], Line]) -> Writer:
    """A claim of someone covered, whose every line has this mistake."""
    return lambda scene: refused(scene, scene.somebody(), (code,), spoil)


def same(line: Line) -> Line:
    """The line as it is."""
    return line


def care_to_come(scene: Scene) -> bool:
    """Care dated after the hub's own day; not covered any more, perhaps, by then."""
    days = (scene.world.day - scene.day).days + 2
    return refused(scene, scene.somebody(), ("care_in_future", *NOT_COVERED), lambda line: later([line], days)[0])


def under_engagement(scene: Scene, number: str, code: str) -> bool:
    """A claim under an engagement that is not good for this practice."""
    found = scene.somebody()
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    must = Must(201, "refused", (code,), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim({"invoice": scene.invoice(), "engagement": number, "lines": lines}, must)
    return True


def invented_engagement(scene: Scene) -> bool:
    """An engagement number that nobody gave."""
    return under_engagement(scene, f"E{scene.day:%y}0000000000000", "engagement_unknown")


@of_somebody
def borrowed_engagement(scene: Scene, person: Person, contract: Contract) -> None:
    """An engagement given to another practice: the same words as for one that nobody gave."""
    check = scene.check(person, contract.insurer, contract, confirmed=True)
    lines = scene.lines(person)
    others = [each for each in scene.world.professionals if each.practice.number != scene.who.practice.number]
    scene.who = replace(scene.draw.choice(others), trade=scene.who.trade)
    must = Must(201, "refused", ("engagement_unknown",), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim({"invoice": scene.invoice(), "engagement": engagement_of(check), "lines": lines}, must)


@of_somebody
def billed_twice(scene: Scene, person: Person, contract: Contract) -> None:
    """The same care under a second invoice number."""
    lines = scene.lines(person)
    scene.claim(scene.unannounced(person, contract, lines), scene.accepted(person, contract.insurer, lines))
    must = Must(201, "refused", ("duplicate_claim",), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim(scene.unannounced(person, contract, lines) | {"invoice": scene.invoice("-B")}, must)


@of_somebody
def nothing_to_replace(scene: Scene, person: Person, contract: Contract) -> None:
    """A claim that wants to replace one that nobody sent."""
    lines = scene.lines(person)
    must = Must(201, "refused", ("replaces_unknown",), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim(scene.unannounced(person, contract, lines) | {"replaces": "clm_00000000000000000000"}, must)


@of_somebody
def mended(scene: Scene, person: Person, contract: Contract) -> None:
    """Refused for a rate that does not exist, then sent again under the same number, mended."""
    lines = scene.lines(person)
    wrong = [line | WITH_BASE | {"amo_rate": "37%"} for line in lines]
    body = scene.unannounced(person, contract, lines)
    must = Must(201, "refused", ("amo_rate_unknown",), person.number, contract.insurer, scene.domain, tuple(wrong))
    scene.claim(body | {"lines": wrong}, must)
    scene.claim(body, scene.accepted(person, contract.insurer, lines))


def consultation(line: Line, base_cents: int, amo_rate: str) -> Line:
    """The line as a doctor's consultation that states nothing but its money."""
    money = {"act": "G", "base_cents": base_cents, "amo_rate": amo_rate}
    return {name: value for name, value in line.items() if name in BARE} | money


NOT_COVERED = ("not_covered",)
BARE = ("line", "date", "quantity", "expense_cents")
OF_TRANSPORT = "55%"  # a rate of law, and of no trade that is played here
WITH_BASE = {"base_cents": 2000, "expense_cents": 2000}
REFUSED: tuple[tuple[str, Writer], ...] = (
    ("not_covered", not_covered),
    ("domain_not_covered", domain_not_covered),
    ("care_to_come", care_to_come),
    ("invented_engagement", invented_engagement),
    ("borrowed_engagement", borrowed_engagement),
    ("billed_twice", billed_twice),
    ("nothing_to_replace", nothing_to_replace),
    ("mended", mended),
    ("base_too_high", spoilt("base_too_high", lambda line: consultation(line, 399_900, "70%"))),
    ("unknown_rate", spoilt("amo_rate_unknown", lambda line: line | WITH_BASE | {"amo_rate": "37%"})),
    ("impossible_rate", spoilt("amo_rate_impossible", lambda line: consultation(line, 2000, OF_TRANSPORT))),
    ("own_figures", spoilt("amount_mismatch", lambda line: line | {"amo_cents": line["expense_cents"] + 1})),
    ("line_numbers", spoilt("line_numbers_invalid", lambda line: line | {"line": line["line"] + 1})),
)


def without(field: str) -> Callable[[Body], Body]:
    """The body less one field."""
    return lambda body: {name: value for name, value in body.items() if name != field}


def with_field(field: str, value: object) -> Callable[[Body], Body]:
    """The body with one field changed."""
    return lambda body: body | {field: value}


def with_beneficiary(field: str, value: object) -> Callable[[Body], Body]:
    """The body with one field of the beneficiary changed."""
    return lambda body: body | {"beneficiary": body["beneficiary"] | {field: value}}


def wrong_key(body: Body) -> Body:
    """The NIR of the card with another key."""
    nir = body["beneficiary"].get("nir", "")
    key = f"{int(nir_key(nir[:13])) % 97 + 1:02d}"
    return body | {"beneficiary": body["beneficiary"] | {"nir": nir[:13] + key}}


def cut(_body: Body) -> str:
    """Half a JSON object."""
    return '{"insurer": "0099900011", "beneficiary": {'


class Malformed(NamedTuple):
    """A way to spoil a right question, and the answer it must get: a status, and one of these codes."""

    name: str
    status: int
    codes: tuple[str, ...]
    spoil: Callable[[Body], Body | str]


MALFORMED = (
    Malformed("wrong_key", 400, ("nir_invalid",), wrong_key),
    Malformed("birth_date", 400, ("birth_date_invalid",), with_beneficiary("birth_date", "14/06/1979")),
    Malformed("birth_rank", 400, ("birth_rank_invalid", "malformed"), with_beneficiary("birth_rank", 0)),
    Malformed("insurer_number", 400, ("amc_invalid",), with_field("insurer", "12")),
    Malformed("care_day", 400, ("day_invalid",), with_field("care_date", "2026-13-45")),
    Malformed("domain", 400, ("malformed",), with_field("domain", "XXXX")),
    Malformed("no_beneficiary", 400, ("malformed",), without("beneficiary")),
    Malformed("not_json", 400, ("malformed",), cut),
)
TOKENS = (
    (exchange.NO_TOKEN, 401, "unauthenticated"),
    (exchange.BAD_TOKEN, 401, "unauthenticated"),
    (exchange.CLAIMS_ONLY, 403, "forbidden"),
)
