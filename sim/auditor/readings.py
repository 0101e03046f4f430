"""Each practice reads its own remittances over HTTP: what it is told is what was written, and it sees no other's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sim.auditor.answers import Listener
from sim.auditor.papers import Papers
from sim.wire import Line

if TYPE_CHECKING:
    from sim.hub import Address, Tokens

KEPT = ("remittance_id", "practice", "total_cents", "reference", "executed_on", "lines")
INVARIANT = "remittances read over HTTP"


async def read_remittances(address: Address, tokens: Tokens, listener: Listener, papers: Papers) -> None:
    """Read the remittances of every practice, and try to read another's. Raises `Lie`."""
    line = Line(*address)
    accounts = {who.practice.number: account for account, who in listener.staff.items()}
    written = {paper["remittance_id"]: paper for paper in papers.remittances}
    for practice, account in accounts.items():
        headers = {"Authorization": f"Bearer {tokens.of(account)}"}
        mine = {each["remittance_id"] for each in await pages(line, headers)}
        expected = {id_ for id_, paper in written.items() if paper["practice"] == practice}
        listener.oath.same(INVARIANT, f"practice {practice}", sorted(mine & set(written)), sorted(expected))
        for id_ in sorted(expected):
            told = json.loads((await line.ask("GET", f"/v1/remittances/{id_}", headers)).body)
            found = {name: told[name] for name in KEPT}
            listener.oath.same(INVARIANT, id_, found, {name: written[id_][name] for name in KEPT})
        other = next((id_ for id_, paper in written.items() if paper["practice"] != practice), None)
        if other is not None:
            refused = await line.ask("GET", f"/v1/remittances/{other}", headers)
            listener.oath.same(INVARIANT, f"practice {practice} about another's", refused.status, 404)
    await line.close()


async def pages(line: Line, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Every remittance of the practice, page after page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = json.loads((await line.ask("GET", f"/v1/remittances?limit=2&cursor={cursor}", headers)).body)
        found += page["remittances"]
        cursor = page.get("next") or page.get("next_cursor") or ""
        if not cursor:
            return found
