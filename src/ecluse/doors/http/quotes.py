"""`POST /v1/quotes`: what each pays, before care is given; a bare application answers it (`bare.py`)."""

from __future__ import annotations

from litestar import Response, post
from litestar.params import JSONBody

from ecluse.app.quotes import QuoteAnswer, QuoteSent, quote
from ecluse.doors.http.answers import send
from ecluse.doors.http.given import Asked, TheHub

PATH = "/v1/quotes"


@post(PATH, status_code=200, summary="What will each pay?", tags=["Professionals"])
async def post_quote(data: JSONBody[QuoteSent], hub: TheHub, asked: Asked) -> Response[QuoteAnswer]:
    """Each line split into AMO, AMC and patient, with the reasons; guaranteed while the engagement holds."""
    return send(await quote(hub, asked, data))


HANDLERS = [post_quote]
