"""The lean peer: a bare ASGI application, msgspec and asyncpg on PostgreSQL. No token, no journal.

ECLUSE_PEER_SOCKET=/tmp/… uvicorn bench.peers.eligibility_asgi:app
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec

SOCKET = os.environ.get("ECLUSE_PEER_SOCKET", "/tmp")
FIND = "SELECT domains, valid_from, valid_to FROM rights WHERE person = $1"


class Beneficiary(msgspec.Struct):
    """Who is meant."""

    nir: str
    birth_date: str
    birth_rank: int


class Question(msgspec.Struct):
    """What is asked."""

    insurer: str
    beneficiary: Beneficiary
    care_date: str
    domain: str


decode = msgspec.json.Decoder(Question).decode
pools: list[Any] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Look one person up."""
    if scope["type"] != "http":
        return
    if not pools:
        pools.append(await asyncpg.create_pool(host=SOCKET, user="postgres", database="postgres", max_size=20))
    question = decode((await receive())["body"])
    who = question.beneficiary
    key = sha256(f"{who.nir}|{who.birth_date}|{who.birth_rank}".encode()).digest()[:16]
    async with pools[0].acquire() as connection:
        found = await connection.fetchrow(FIND, key)
    confirmed = found is not None and question.domain in found["domains"]
    body = msgspec.json.encode({"outcome": "confirmed" if confirmed else "not_confirmed"})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
