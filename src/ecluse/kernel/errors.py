"""Refusals: the expected ways to say no. Each has a stable code, a title and a fix; bugs are assertions instead.

A refusal is declared once, beside the code that raises it::

    INVOICE_REUSED = refusal("invoice_reused", 409, "This invoice number was already used", fix="Use a new number.")
    raise INVOICE_REUSED("the first body had other lines", pointer="/invoice")

Doors turn a `Refused` into `application/problem+json` (RFC 9457) or exit code 2. Code below them catches one only where it knows
what to do instead: add where it happened, refuse one row of a file, give the same answer as for nobody, try again later.
A detail never holds an identifier, a name or a secret: it may be logged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CATALOGUE: dict[str, Refusal] = {}


class Refused(Exception):  # noqa: N818 - past participles for what happened
    """One refusal, raised. `pointer` is an RFC 6901 pointer into the request, where one field is to blame."""

    def __init__(self, refusal: Refusal, detail: str, pointer: str | None, fix: str) -> None:
        super().__init__(f"{refusal.code}: {detail} ({fix})")
        self.refusal = refusal
        self.code = refusal.code
        self.detail = detail
        self.pointer = pointer
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of refusal: stable `code` (snake case), HTTP `status`, `title`, and the usual `fix`.

    `retry_s`: where the fix is to wait and it is known how long, the seconds after which it is worth asking again; else 0.
    """

    code: str
    status: int
    title: str
    fix: str
    retry_s: int = 0

    def __call__(self, detail: str = "", *, pointer: str | None = None, fix: str | None = None) -> Refused:
        """The exception to raise; `detail` and `fix` default to the kind's own words."""
        return Refused(self, detail or self.title, pointer, fix or self.fix)


def place_of(message: str) -> tuple[str, str]:
    """What msgspec says is wrong, and where as an RFC 6901 pointer: its messages end with "… - at `$.lines[0].act`"."""
    what, _, path = message.partition(" - at `$")
    path = path.partition("[...]")[0]  # a value of some key, and nothing says which
    return what, re.sub(r"\[(\d+)\]|\.([^.\[`]+)", lambda found: f"/{found[1] or found[2]}", path.rstrip("`"))


def refusal(code: str, status: int, title: str, *, fix: str, retry_s: int = 0) -> Refusal:
    """Declare a kind of refusal. A code is declared once in the whole program."""
    assert code not in _CATALOGUE, f"refusal {code} declared twice"
    _CATALOGUE[code] = Refusal(code, status, title, fix, retry_s)
    return _CATALOGUE[code]


def catalogue() -> dict[str, Refusal]:
    """Every refusal declared by the modules imported so far, by code."""
    return dict(sorted(_CATALOGUE.items()))


NOT_FOUND = refusal("not_found", 404, "There is nothing here for you", fix="Check the address or the identifier.")
"""Unknown, or somebody else's: the same words for both, everywhere."""
