"""`/v1/freezes`: a member wants no typed look-ups of their rights; the insurer says so, and lifts it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from ecluse.app.freezes import FreezeAnswer, freeze, lift
from ecluse.doors.http.given import Asked, TheHub
from ecluse.doors.http.passes import MemberSent
from ecluse.journal.member import Member


class FreezeSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member, as the insurer names them."""

    member: MemberSent
    insurer: Annotated[str, Meta(max_length=32, description="AMC number; an insurer's account may leave it out")] = ""

    @property
    def named(self) -> Member:
        """The member."""
        return Member(self.member.member_number, self.member.birth_date, self.member.birth_rank)


@post("/v1/freezes", status_code=200, summary="Freeze typed look-ups of an own member", tags=["Insurers"])
async def post_freeze(data: JSONBody[FreezeSent], hub: TheHub, asked: Asked) -> FreezeAnswer:
    """Holds at once: who types what the card says is answered as about nobody; a pass opens as before. Again changes nothing."""
    return await freeze(hub, asked, data.insurer, data.named)


@post("/v1/freezes/liftings", status_code=200, summary="Lift the freeze of an own member", tags=["Insurers"])
async def post_lifting(data: JSONBody[FreezeSent], hub: TheHub, asked: Asked) -> FreezeAnswer:
    """Again changes nothing."""
    return await lift(hub, asked, data.insurer, data.named)


HANDLERS = [post_freeze, post_lifting]
