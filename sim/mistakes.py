"""What goes wrong in a practice, one mistake at a time, with the code the hub must answer with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sim import exchange
from sim.exchange import Must
from sim.identifiers import nir_key
from sim.scene import Line, Scene, Writer, later

Body = dict[str, Any]


def not_covered(scene: Scene) -> bool:
    """A claim for someone whose contracts are all closed."""
    found = scene.crowd.closed()
    return refused_unannounced(scene, found, "rights_not_confirmed")


def domain_not_covered(scene: Scene) -> bool:
    """A claim for care the contract leaves out."""
    return refused_unannounced(scene, scene.crowd.without_domain(scene.domain), "rights_not_confirmed")


def refused_unannounced(scene: Scene, found: Any, code: str) -> bool:
    """A claim without a check for `found`, which is refused with `code`."""
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    must = Must(201, "refused", (code,), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim(scene.unannounced(person, contract, lines), must)
    return True


def care_to_come(scene: Scene) -> bool:
    """A line of tomorrow."""
    found = scene.somebody()
    if not found:
        return False
    person, contract = found
    lines = to_come(scene, scene.lines(person))
    must = Must(201, "refused", ("care_in_future",), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim(scene.unannounced(person, contract, lines), must)
    return True


def to_come(scene: Scene, lines: list[Line]) -> list[Line]:
    """The same lines, dated after the hub's own day."""
    return later(lines, (scene.world.day - scene.day).days + 2)


def invented_engagement(scene: Scene) -> bool:
    """An engagement number that nobody gave."""
    found = scene.somebody()
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    number = f"E{scene.day:%y}0000000000000"
    must = Must(201, "refused", ("engagement_unknown",), person.number, contract.insurer, scene.domain, tuple(lines))
    scene.claim({"invoice": scene.invoice(), "engagement": number, "lines": lines}, must)
    return True


def mended(scene: Scene) -> bool:
    """Refused for a line of tomorrow, then sent again under the same number, mended."""
    found = scene.somebody()
    if not found:
        return False
    person, contract = found
    lines = scene.lines(person)
    wrong = tuple(to_come(scene, lines))
    body = scene.unannounced(person, contract, lines)
    must = Must(201, "refused", ("care_in_future",), person.number, contract.insurer, scene.domain, wrong)
    scene.claim(body | {"lines": list(wrong)}, must)
    scene.claim(body, scene.accepted(person, contract.insurer, lines))
    return True


REFUSED: tuple[tuple[str, Writer], ...] = (
    ("not_covered", not_covered),
    ("domain_not_covered", domain_not_covered),
    ("care_to_come", care_to_come),
    ("invented_engagement", invented_engagement),
    ("mended", mended),
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
    Malformed("birth_rank", 400, ("birth_rank_invalid",), with_beneficiary("birth_rank", 0)),
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
