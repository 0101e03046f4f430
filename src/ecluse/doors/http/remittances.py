"""`/v1/remittances`: one remittance a transfer, and its lines add up to it. A practice sees its own and no other."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter

from ecluse.app.ports import PaymentStore
from ecluse.doors.http.given import Asked, TheHub
from ecluse.gate.identity import Account, permit
from ecluse.gate.openings import check_cursor
from ecluse.kernel.errors import NOT_FOUND
from ecluse.payments.remittance import Remittance, RemittanceHead

SCOPE = "remittances"
PAGE_MAX = 200  # a year of one remittance a working day fits in two pages
ID_MAX = 64  # an id has 24 characters


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """Remittances, oldest first; `next` is the cursor to go on with, absent on the last page."""

    remittances: tuple[RemittanceHead, ...]
    next: str | None = None


@get("/v1/remittances", summary="The transfers made to your practice", tags=["Professionals"])
async def get_remittances(
    hub: TheHub,
    asked: Asked,
    cursor: Annotated[str, QueryParameter(max_length=ID_MAX, description="`next` of the page before")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = 50,
) -> Page:
    """Oldest first, without their lines; go on with `next`."""
    return await own_remittances(hub.payments, asked.account, cursor, limit)


@get("/v1/remittances/{remittance_id:str}", summary="One transfer, claim by claim", tags=["Professionals"])
async def get_remittance(
    hub: TheHub, asked: Asked, remittance_id: Annotated[str, PathParameter(max_length=ID_MAX)]
) -> Remittance:
    """Its lines add up to the transfer, to the cent."""
    return await own_remittance(hub.payments, asked.account, remittance_id)


HANDLERS = [get_remittances, get_remittance]


async def own_remittances(store: PaymentStore, account: Account, cursor: str, limit: int) -> Page:
    """A page of the practice's own. Raises `forbidden`, `cursor_invalid`."""
    permit(account, SCOPE)
    check_cursor(cursor, "rem_")
    heads = await store.remittances_of(account.practice, cursor, limit + 1) if account.practice else []
    return Page(tuple(heads[:limit]), heads[limit - 1].remittance_id if len(heads) > limit else None)


async def own_remittance(store: PaymentStore, account: Account, remittance_id: str) -> Remittance:
    """One of the practice's own; another's is unknown, like one that never was. Raises `forbidden`, `not_found`."""
    permit(account, SCOPE)
    found = await store.remittance(remittance_id[:ID_MAX])
    if found is None or not account.practice or found.practice != account.practice:
        raise NOT_FOUND()
    return found
