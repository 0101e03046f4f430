"""Working days, counted one by one on the published list of French public holidays."""

from __future__ import annotations

from datetime import date, timedelta

import holidays

WORKING_DAYS = 7  # Inter-AMC contract: transfer within seven working days (docs/simulator.md)


def latest_payment(received: date) -> date:
    """The last day on which a claim received on `received` is paid in time."""
    day, left = received, WORKING_DAYS
    off = holidays.country_holidays("FR", years=[received.year, received.year + 1])
    while left:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in off:
            left -= 1
    return day
