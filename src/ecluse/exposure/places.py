"""In which département a practice is, as far as its number says.

A FINESS number begins with it; overseas, 97 and a rank of its own (01 Guadeloupe, 02 Martinique, 03 Guyane, 04 La Réunion), 98 05
Mayotte. A SIRET number says nothing of the place, nor does an account without practice: that is unknown, and counted as unknown.
"""

from __future__ import annotations

UNKNOWN = ""
FINESS_CHARS = 9
OVERSEAS = {"9701": "971", "9702": "972", "9703": "973", "9704": "974", "9805": "976"}
MAINLAND = frozenset(f"{number:02}" for number in range(1, 96)) - {"20"} | {"2A", "2B"}


def departement(practice: str) -> str:
    """The département's code (`37`, `2A`, `974`); `UNKNOWN` when the number does not say."""
    if len(practice) != FINESS_CHARS:
        return UNKNOWN
    code = practice[:2].upper()
    return code if code in MAINLAND else OVERSEAS.get(practice[:4], UNKNOWN)
