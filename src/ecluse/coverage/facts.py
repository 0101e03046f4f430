"""What a professional states of a line of care beside its money: the facts that guarantees and the law turn on.

Every fact is optional. Where one is not stated, nothing is assumed of it: a guarantee that needs it is passed over, and
a control that needs it looks at all that could be true.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

AGE_YEARS_MAX = 130  # nobody has been older


class Side(StrEnum):
    """Which ear or eye: each has its own count."""

    LEFT = "left"
    RIGHT = "right"


class Basket(StrEnum):
    """The baskets of the reform 100 % Santé: no rest, controlled price (dental only), free price."""

    NO_REST = "100S"
    CONTROLLED = "controlled"
    FREE = "free"


class Equipment(StrEnum):
    """Glasses by their two lenses: the letters a to f of article R871-2 (3°) du code de la sécurité sociale."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"
    E = "e"
    F = "f"


class Scheme(StrEnum):
    """The compulsory scheme, where its rates differ."""

    GENERAL = "general"
    ALSACE_MOSELLE = "alsace_moselle"


class Exemption(StrEnum):
    """Why the AMO pays more than its ordinary rate."""

    NONE = "none"
    ALD = "ald"
    MATERNITY = "maternity"
    C2S = "c2s"
    AT_MP = "at_mp"
    HEAVY_ACT = "heavy_act"


class Pathway(StrEnum):
    """The coordinated care pathway (parcours de soins coordonnés)."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Renewal(StrEnum):
    """Why glasses or a hearing aid are renewed before their time (arrêté du 3 décembre 2018)."""

    SIGHT_CHANGED = "sight_changed"
    MEDICAL = "medical"


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one line; None is "not stated"."""

    optam: Annotated[bool, Meta(description="The doctor keeps to OPTAM or OPTAM-CO")] | None = None
    network: Annotated[bool, Meta(description="The professional is a partner of the insurer's network")] | None = None
    basket: Basket | None = None
    equipment: Equipment | None = None
    side: Side | None = None
    renewal: Renewal | None = None
    age_years: Annotated[int, Meta(ge=0, le=AGE_YEARS_MAX, description="Age on the day of care")] | None = None
    scheme: Scheme | None = None
    exemption: Exemption | None = None
    pathway: Pathway | None = None


NOTHING_STATED = Facts()
