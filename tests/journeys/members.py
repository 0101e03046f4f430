"""Member files of an invented insurer, the hub they are loaded into, and what is kept of them on either engine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ecluse.app.asker import Askers
from ecluse.app.feeds import Order, load_file
from ecluse.app.products import load_product
from ecluse.doors.http.app import build
from ecluse.doors.http.who import Door
from ecluse.formats.feed.file import Mode
from ecluse.formats.feed.header import COLUMNS
from ecluse.gate.identity import Account
from ecluse.kernel.ids import nir_key
from ecluse.rights.model import Right
from ecluse.rights.person import nir_message, right_about
from ecluse.wiring import OpenHub, init_hub, open_hub
from sim.auditor import store
from tests.journeys.site import today
from tests.stores import EMBEDDED, chosen

AMC = "0075123456"
PRODUCT = b'product: ESS\nlabel: Essentiel\nresponsible: true\nguarantees:\n- {domains: [MED], guarantee: "TM:100", label: TM}\n'
PARTS = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(rights|members)_' ORDER BY 1"

Rights = list[tuple[bytes, list[Right]]]


def make(directory: Path) -> Path:
    """A hub with one product of one insurer, in the store of this test."""
    init_hub(directory)
    with open_hub(directory) as hub:
        hub.run(load_product(hub, AMC, PRODUCT))
    return directory


def row(number: int, **other: str) -> dict[str, str]:
    """The row of one invented person."""
    body = f"1{number % 100:02d}0{number % 9 + 1}37{number % 900:03d}{number // 900 % 900 + 1:03d}"
    plain = (
        AMC,
        f"M{number}",
        body + nir_key(body),
        "1979-06-14",
        "1",
        f"C{number}",
        "ESS",
        "MED PHAR",
        "2026-01-01",
        "",
    )
    return dict(zip(COLUMNS, (*plain, "SV", "0001", "true", "1"), strict=True)) | other


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join([",".join(rows[0]), *(",".join(each.values()) for each in rows)]) + "\n")
    return path


def load(hub: OpenHub, path: Path, mode: Mode = Mode.FULL, **other: Any) -> Any:
    with hub.feeds.files.at(path) as file:
        return hub.run(load_file(hub, file, Order(AMC, mode, **other), untold, lambda *_: None))


async def untold(_: object) -> None:
    """No journal is asked for here."""


def kept(hub: OpenHub, query: str) -> list[tuple[Any, ...]]:
    """What the tables say that answer rights checks: a file of the hub, or those of the server."""
    if chosen() != EMBEDDED:
        return store.rows(chosen(), query)
    (file,) = (hub.dir / "rights").glob("*.db")
    return store.rows(f"sqlite:{file}", query)


def generation(hub: OpenHub) -> list[str]:
    """The names of the files, or of the tables, that hold the insurer's rights: one generation of them, at rest."""
    if chosen() == EMBEDDED:
        return sorted(each.name for each in (hub.dir / "rights").iterdir())
    return [name for (name,) in store.rows(chosen(), PARTS)]


def parts() -> int:
    """How many of them there are: a file; a table of rights and one of members."""
    return 1 if chosen() == EMBEDDED else 2


def staged(hub: OpenHub) -> list[str]:
    """What lies in the staging directory, but for the lock that says whose turn it is (on a server, that is its own)."""
    return [each.name for each in (hub.dir / "staging").iterdir() if each.suffix != ".lock"]


def everything(hub: OpenHub) -> tuple[Rights, list[tuple[bytes, bytes]]]:
    """The rights that answer, opened, and the members."""
    rights: dict[bytes, list[Right]] = {}
    for person, sealed in kept(hub, "SELECT person, sealed FROM rights"):
        plain = hub.keys.open(AMC, sealed, right_about(AMC, person))
        rights.setdefault(person, []).append(msgspec.msgpack.decode(plain, type=Right))
    opened = {
        person: sorted(found, key=lambda each: (each.contract, each.valid.start)) for person, found in rights.items()
    }
    return sorted(opened.items()), sorted(kept(hub, "SELECT member, person FROM members"))


def rights_of(hub: OpenHub, number: int) -> list[Right]:
    """The rights of one person, by contract and day."""
    who = row(number)
    persons = hub.keys.pseudonyms(AMC, [nir_message(who["nir"], who["birth_date"], 1)], 1)
    return [right for person, found in everything(hub)[0] if person in persons for right in found]


def played(hub: OpenHub, calls: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(build(hub, Door(Askers(hub.issuers, hub.clock)), in_flight_max=8))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await calls(client)

    return hub.run(run())


def bearer(hub: OpenHub, insurer: str = AMC, scope: str = "feeds") -> dict[str, str]:
    account = Account("insurer:one", insurer=insurer, scopes=frozenset(scope.split()))
    token = hub.development_issuer().token(account, int(hub.clock.now().timestamp()), lifetime_s=300)
    return {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}


def practice(hub: OpenHub) -> dict[str, str]:
    """The headers of somebody who may ask about rights."""
    account = Account("rpps:10000000001", "370000028", "physician", scopes=frozenset({"rights"}))
    token = hub.development_issuer().token(account, int(hub.clock.now().timestamp()), lifetime_s=300)
    return {"Authorization": f"Bearer {token}"}


def question(number: int) -> dict[str, Any]:
    """The rights question about one person, as of today."""
    who = row(number)
    beneficiary = {"nir": who["nir"], "birth_date": who["birth_date"], "birth_rank": 1}
    return {"insurer": AMC, "beneficiary": beneficiary, "care_date": today(), "domain": "MED"}
