"""A member file of an account that was shut after it was sent: refused before it answers, and taken again once that is open."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from ecluse.app.feeds import journalled, load_received
from ecluse.doors.cli.main import typed
from ecluse.doors.loader import work_once
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.gate.identity import Account
from ecluse.kernel.errors import Refused
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import AMC, load, make, played, rights_of, row, staged, write

INSURER = f"amc:{AMC}"


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[OpenHub]:
    """A hub of each engine in turn, whose right of before answers."""
    warnings.simplefilter("ignore", DevelopmentOnly)
    with open_hub(make(tmp_path / "hub")) as opened:
        load(opened, write(tmp_path / "before.csv", [row(1, csr="OLD")]))
        yield opened


def sent(hub: OpenHub) -> Any:
    account = Account(INSURER, insurer=AMC, scopes=frozenset({"feeds"}))
    token = hub.development_issuer().token(account, int(hub.clock.now().timestamp()), lifetime_s=300)
    wanted = row(1, csr="NEW")
    content = f"{','.join(wanted)}\n{','.join(wanted.values())}\n".encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    return played(hub, lambda client: client.post("/v1/feeds?mode=full", content=content, headers=headers)).json()


def gate(hub: OpenHub, act: str, step: str, operator: str = "a.martin") -> None:
    words = ["gate", act, INSURER, step, "--operator", operator, "--reason", "essai", "--dir", str(hub.dir)]
    done = CliRunner().invoke(typed(["gate"]), words)
    assert done.exit_code == 0, done.output
    time.sleep(0.1)  # until this process has seen it


def opened(hub: OpenHub) -> None:
    for operator in ("a.martin", "b.durand"):
        gate(hub, "release", "open", operator)


def outcome(hub: OpenHub, feed: str) -> tuple[str, list[str]]:
    kept = hub.run(hub.feeds.store.feed(feed))
    assert kept is not None
    return kept.state, [each.code for each in hub.run(hub.feeds.store.refusals(feed))]


@pytest.mark.parametrize("when", ["waiting", "sealing"])
def test_who_is_shut_changes_nothing_by_what_was_sent_before(hub: OpenHub, when: str) -> None:
    feed = sent(hub)["feed_id"]
    if when == "waiting":
        gate(hub, "contain", "quarantined")

    def told(step: str, done: int, _: int) -> None:
        if step == when and done == 0:
            shutting = Thread(
                target=gate, args=(hub, "contain", "quarantined")
            )  # a loop of its own, as another process has
            shutting.start()
            shutting.join()

    with pytest.raises(Refused, match="account_quarantined"):
        hub.run(load_received(hub, feed, journalled(hub), told))
    assert outcome(hub, feed) == ("refused", ["account_quarantined"])
    assert ([each.csr for each in rights_of(hub, 1)], staged(hub), list((hub.dir / "spool").iterdir())) == (
        ["OLD"],
        [],
        [],
    )
    assert sent(hub)["code"] == "account_quarantined"
    opened(hub)
    again = sent(hub)
    assert (again["feed_id"] == feed, again["state"]) == (False, "received")
    assert work_once(hub) == 1
    assert (outcome(hub, again["feed_id"])[0], [each.csr for each in rights_of(hub, 1)]) == ("loaded", ["NEW"])
