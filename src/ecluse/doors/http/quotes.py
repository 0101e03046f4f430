"""`POST /v1/quotes`: what each pays, before care is given."""

from __future__ import annotations

from litestar import Response, post
from litestar.params import JSONBody

from ecluse.app.quotes import QuoteAnswer, QuoteSent, quote
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub


@post("/v1/quotes", status_code=200, summary="What will each pay?", tags=["Professionals"])
async def post_quote(data: JSONBody[QuoteSent], hub: TheHub, asked: Asked) -> Response[QuoteAnswer]:
    """Each line split into AMO, AMC and patient, with the reasons; guaranteed while the engagement holds."""
    return send(await quote(hub, asked, data))


HANDLERS = [post_quote]
