"""`/v1/passes`: passes for an insurer's own members. `/passes/…`: what verifiers take, public and about nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ecluse.app.hub import Hub
from ecluse.app.pass_keys import Status, status_list
from ecluse.app.passes import (
    TOGETHER,
    IssuedRow,
    issue_some,
    order,
    revoke_member,
    revoke_pass,
)
from ecluse.doors.http.given import Asked, TheHub
from ecluse.formats.pass_members import HOLDER, Wanted, read_member
from ecluse.journal.member import Member
from ecluse.kernel.errors import NOT_FOUND, Refused, refusal
from ecluse.passes.issued import VALID_DAYS_MAX
from ecluse.passes.keys import PassKey
from ecluse.passes.status import MEDIA_TYPE

STATUS_CACHE_S = 60  # how late a worker's list may be: on line, the hub looks at every question itself

PASS_ABOUT_INVALID = refusal(
    "pass_about_invalid", 422, "It is not said which pass", fix="Give either `pass` or `member`, not both."
)

PASS_MEMBER_REPEATED = refusal(
    "pass_member_repeated", 422, "A member is in this list twice", fix="Ask for one pass of each member in a request."
)

Text = Annotated[str, Meta(max_length=64)]
Insurer = Annotated[str, Meta(max_length=32, description="AMC number; an insurer's account may leave it out")]


class MemberSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member, as the insurer names them."""

    member_number: Text
    birth_date: Text
    birth_rank: Annotated[int, Meta(ge=1, le=9)] = 1


class MemberWanted(MemberSent, frozen=True, kw_only=True):
    """A member a pass is wanted for. `holder_key`: 64 hexadecimal digits, the public key of the member's application."""

    nir: Text
    holder_key: Text = ""


class PassesWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom passes are wanted for, from which day (today), for how many days."""

    members: Annotated[tuple[MemberWanted, ...], Meta(min_length=1, max_length=TOGETHER)]
    insurer: Insurer = ""
    first_day: date | None = msgspec.field(default=None, name="from")
    days: int = VALID_DAYS_MAX


class PassesIssued(msgspec.Struct, frozen=True):
    """One row for each member, in their order; `line` counts from 1."""

    passes: list[IssuedRow]


class Revoked(msgspec.Struct, frozen=True):
    """How many passes no longer stand."""

    revoked: int


class RevocationSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pass by its text, or every pass of a member."""

    insurer: Insurer = ""
    text: Annotated[str, Meta(max_length=4096)] | None = msgspec.field(default=None, name="pass")
    member: MemberSent | None = None


@post("/v1/passes", status_code=200, summary="Passes for own members", tags=["Insurers"])
async def post_passes(data: JSONBody[PassesWanted], hub: TheHub, asked: Asked) -> PassesIssued:
    """The same body on the same day gives the same passes, but for those that were revoked."""
    _check_once(data.members)
    insurer = data.insurer or asked.account.insurer
    given = order(hub, asked, insurer, data.first_day, data.days, msgspec.msgpack.encode(data.members))
    released = await issue_some(hub, asked, given, [_wanted(*each) for each in enumerate(data.members, 1)])
    return PassesIssued([each.answer for each in released])


@post("/v1/passes/revocations", status_code=200, summary="Revoke passes of own members", tags=["Insurers"])
async def post_revocation(data: JSONBody[RevocationSent], hub: TheHub, asked: Asked) -> Revoked:
    """Holds at once on line; off line with the next status list. Again changes nothing."""
    insurer = data.insurer or asked.account.insurer
    if (data.text is None) == (data.member is None):
        raise PASS_ABOUT_INVALID()
    if data.member:
        member = Member(data.member.member_number, data.member.birth_date, data.member.birth_rank)
        return Revoked(await revoke_member(hub, asked, insurer, member))
    return Revoked(await revoke_pass(hub, asked, insurer, data.text or ""))


HANDLERS = [post_passes, post_revocation]


class Issuer(msgspec.Struct, frozen=True):
    """A key passes are signed under, Ed25519, in hexadecimal."""

    key_id: str
    public_key: str
    status: str


class Issuers(msgspec.Struct, frozen=True):
    """Every key of this hub that a pass may name, oldest first: one that is not among them is believed no more."""

    issuers: list[Issuer]


def public_passes(hub: Hub) -> list[Any]:
    """The public handlers of one worker, which keep the list for a minute."""
    lists = _Lists(hub)

    @get("/passes/issuers.json", include_in_schema=False)
    async def issuers() -> Issuers:
        """The keys to verify with."""
        trusted = [(each.id.hex(), each.public.hex()) for each in hub.keys.pass_keys().trusted]
        return Issuers([Issuer(key_id, public, f"/passes/{key_id}/status") for key_id, public in trusted])

    @get("/passes/{issuer:str}/status", include_in_schema=False)
    async def status(issuer: Annotated[str, PathParameter(max_length=64)]) -> Response[bytes]:
        """The signed status list of a key."""
        if (key := hub.keys.pass_keys().named(issuer)) is None:
            raise NOT_FOUND()
        made = await lists.newest(key)
        headers = {"cache-control": f"public, max-age={STATUS_CACHE_S}"}
        return Response(made.content, media_type=MEDIA_TYPE, headers=headers)

    return [issuers, status]


class _Lists:
    """The status list of each key, made again when it is a minute old; by one request, while the others wait for it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._made: dict[
            PassKey, tuple[Status, float]
        ] = {}  # of keys that were believed: a handful, and bits of a few MB
        self._turn = asyncio.Lock()

    async def newest(self, key: PassKey) -> Status:
        async with self._turn:
            made, made_s = self._made.get(key, (None, 0.0))
            if made is None or time.monotonic() - made_s > STATUS_CACHE_S:
                made = await status_list(self._hub, key)
                self._made[key] = made, time.monotonic()
            return made


def _check_once(members: Sequence[MemberWanted]) -> None:
    seen = set()
    for at, each in enumerate(members):
        who = each.member_number, each.birth_date, each.birth_rank
        if who in seen:
            raise PASS_MEMBER_REPEATED(pointer=f"/members/{at}")
        seen.add(who)


def _wanted(line: int, sent: MemberWanted) -> Wanted:
    values = {
        "member_number": sent.member_number,
        "nir": sent.nir,
        "birth_date": sent.birth_date,
        "birth_rank": str(sent.birth_rank),
        HOLDER: sent.holder_key,
    }
    try:
        return read_member(line, values)
    except Refused as refused:
        raise refused.refusal(refused.detail, pointer=f"/members/{line - 1}{refused.pointer or ''}") from None
