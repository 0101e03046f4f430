"""Rights as an insurer's file gives them, for tests that need a member and no hub."""

from __future__ import annotations

from datetime import date
from typing import Any

from ecluse.kernel.days import period
from ecluse.rights.model import Domain, Right


def right(product: str = "P", first: str = "2025-01-01", last: str | None = None, **changes: Any) -> Right:
    """Three domains under one contract, for ever unless said; `changes` are fields of `Right`."""
    fields = {
        "contract": f"C-{product}", "member_number": "M0001", "product": product,
        "domains": (Domain.MED, Domain.AUXM, Domain.PHAR),
        "valid": period(date.fromisoformat(first), date.fromisoformat(last) if last else None),
        "convention_type": "SV", "csr": "0001", "responsible": True, "priority": 1,
    }  # fmt: skip
    return Right(**{**fields, **changes})
