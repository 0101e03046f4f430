"""What explains that somebody was displayed: a table, read from the top, of which the first line that holds is the one.

Normal care is told apart and never left out: whoever holds a stolen login may also bill, and may also have found a pass. So every
category is in the counts and in the lists; an insurer that informs only the last one decides that itself, and can say why.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from ecluse.exposure.shown import Shown

BILLED_WITHIN = (
    "exposition/facture_apres_affichage"  # the dated rule: days between a display and the claim that explains it
)


class Category(StrEnum):
    """Why a person was displayed, as far as the journal tells."""

    PRESENT = "present"
    BILLED = "billed"
    UNEXPLAINED = "unexplained"


CATEGORIES: dict[Category, Callable[[Shown], bool]] = {
    Category.PRESENT: lambda shown: not shown.typed,  # each time, a proof that the person was there
    Category.BILLED: lambda shown: (
        shown.billed
    ),  # each time without proof, an accepted claim of the same place followed
    Category.UNEXPLAINED: lambda shown: True,
}


def category(shown: Shown) -> Category:
    """The category of one displayed person."""
    return next(name for name, holds in CATEGORIES.items() if holds(shown))
