"""What every drawing of a waterfall says, and where its bars stand."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ecluse.app.explain import ExplainedLine
from ecluse.coverage.waterfall import Bar, BarKind, Waterfall
from ecluse.kernel.money import en_euros


class Placed(msgspec.Struct, frozen=True):
    """A bar of a chart `width` units wide: where it starts, how long it is, and the running total it leads to."""

    bar: Bar
    start: float
    length: float
    after: float


def placed(shown: Waterfall, width: float) -> Iterator[Placed]:
    """The expense and the rest stand from zero; what is paid hangs from what was left before it."""
    scale, left = width / max(1, shown.bars[0].cents), 0
    for bar in shown.bars:
        before = left
        left = bar.cents if bar.kind is BarKind.LEFT else left + bar.cents
        start = 0 if bar.kind is BarKind.LEFT else min(before, left)
        yield Placed(bar, start * scale, abs(bar.cents) * scale, left * scale)


def title(line: ExplainedLine) -> str:
    """ "Ligne 2 : CS × 2, le 23/11/2026", or what a question without act or day is called."""
    times = f"\u00a0×\u00a0{line.quantity}" if line.quantity > 1 else ""
    if not line.act or line.date is None:
        return f"Une ligne de soins{times}"
    return f"Ligne {line.line}\u00a0: {line.act}{times}, le {line.date:%d/%m/%Y}"


def sentences(shown: Waterfall) -> list[str]:
    """Every sentence, what stands aside before what is left."""
    *before, left = shown.bars
    return [said for bar in (*before, *shown.asides, left) for said in bar.said]


def signed(cents: int) -> str:
    """An amount with a true minus sign: −22,05 €."""
    return f"−{en_euros(-cents)}" if cents < 0 else en_euros(cents)


def missing(count: int) -> str:
    """How many lines of a quote the journal had no room for."""
    if count == 1:
        return "La dernière ligne n'a pas été gardée\u00a0: le devis était trop long."
    return f"Les {count} dernières lignes n'ont pas été gardées\u00a0: le devis était trop long."
