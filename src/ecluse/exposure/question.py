"""The question after a login is known stolen: which accounts, between which instants, and what it may be narrowed to.

Read once, here: whoever holds a `Question` holds a good one. Instants are µs, UTC; the first is inside, the last is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from ecluse.gate.identity import TOLD_CHARS_MAX
from ecluse.gate.network import network_of
from ecluse.kernel.days import DAY_US, ts_us
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

ACCOUNTS_MAX = 1_000  # the accounts of a vendor's customers phished in one go; a hub of 2024 lost one or two
INSURERS_MAX = 200  # twice the number of insurers of a large hub
SESSIONS_MAX = 10_000  # logins of those accounts in a year, one a working day for forty of them
NETWORKS_MAX = 1_000
WINDOW_US_MAX = 3 * 366 * DAY_US  # the journal is kept 36 months at most
FIRST_TS_US = 1_577_836_800_000_000  # 2020-01-01: no hub was there, and no rule of what is asked
ACCOUNT_CHARS_MAX = 128  # as in a token (gate/identity.py)

EXPOSURE_INVALID = refusal(
    "exposure_invalid",
    400,
    "This is not a question of exposure",
    fix="Name one account or more as the journal has them (rpps:…), and instants as 2026-11-25T08:30:00+01:00, from before to.",
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Who was shown what by these accounts in this window; empty `insurers`, `sessions` and `networks` narrow nothing."""

    accounts: tuple[str, ...]
    start_ts_us: int
    end_ts_us: int
    insurers: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


Read = Callable[[str, str], str]  # a value and where it stands: the value as the journal has it


def read_question(
    accounts: Sequence[str],
    start: str,
    end: str,
    *,
    insurers: Sequence[str] = (),
    sessions: Sequence[str] = (),
    networks: Sequence[str] = (),
    account: Read = lambda text, _: text,
) -> Question:
    """The question these words ask, each value once and in order. Raises `exposure_invalid`, `amc_invalid`.

    `account`: how an account's name is read, where a person wrote it (`app/exposure/naming.py`); by default it is the journal's.
    """
    if not accounts:
        raise EXPOSURE_INVALID("no account", pointer="/accounts")
    start_ts_us, end_ts_us = _instant(start, "/from"), _instant(end, "/to")
    if not 0 < end_ts_us - start_ts_us <= WINDOW_US_MAX:
        raise EXPOSURE_INVALID("the window is empty, backwards or longer than three years", pointer="/to")
    if end_ts_us < FIRST_TS_US:
        raise EXPOSURE_INVALID("no journal is older than 2020", pointer="/to")
    return Question(
        accounts=_each(accounts, ACCOUNTS_MAX, "/accounts", _text(ACCOUNT_CHARS_MAX, account)),
        start_ts_us=start_ts_us,
        end_ts_us=end_ts_us,
        insurers=_each(insurers, INSURERS_MAX, "/insurers", lambda text, pointer: str(amc(text, pointer=pointer))),
        sessions=_each(sessions, SESSIONS_MAX, "/sessions", _text(TOLD_CHARS_MAX)),
        networks=_each(networks, NETWORKS_MAX, "/networks", _network),
    )


def _each(values: Sequence[str], count_max: int, pointer: str, read: Read) -> tuple[str, ...]:
    if len(values) > count_max:
        raise EXPOSURE_INVALID(f"more than {count_max} values", pointer=pointer)
    return tuple(sorted({read(each, f"{pointer}/{place}") for place, each in enumerate(values)}))


def _text(chars_max: int, then: Read = lambda text, _: text) -> Read:
    def read(text: str, pointer: str) -> str:
        if not 0 < len(text.strip()) <= chars_max:
            raise EXPOSURE_INVALID(f"1 to {chars_max} characters are expected", pointer=pointer)
        return then(text.strip(), pointer)

    return read


def _network(text: str, pointer: str) -> str:
    """An address, or the network the journal would keep of it; a wider one is several."""
    address, _, bits = text.partition("/")
    found = network_of(address)
    if not found or (bits and bits != found.partition("/")[2]):
        raise EXPOSURE_INVALID("an address, a /24 of IPv4 or a /48 of IPv6 is expected", pointer=pointer)
    return found


def _instant(text: str, pointer: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        return ts_us(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise EXPOSURE_INVALID("not an instant", pointer=pointer) from None
