"""What takes effect is in the journal: while the journal refuses nothing is changed, and the next try does it and tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ecluse.app.ports import Log, Mark
from ecluse.app.products import load_product
from ecluse.coverage.product import read_product, version
from ecluse.doors.cli.main import complete
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import Refused
from ecluse.wiring import init_hub, open_hub
from tests.journal import entries_in
from tests.journeys.site import AMC, PRACTICE, PRODUCT

pytestmark = pytest.mark.usefixtures("store_url")

RENAMED = {"ECLUSE_JOURNAL_ORIGIN": "renamed.test/journal"}  # a journal that refuses every entry
OPERATOR = ("--operator", "a. martin", "--reason", "appel du cabinet")
NEXT = PRODUCT.replace("BR_INCL:200", "BR_INCL:220")


class Traced:
    """A hub with a product and a practice whose account is about to change."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / "hub"
        for name, content in {"base.yaml": PRODUCT, "next.yaml": NEXT}.items():
            (folder / name).write_text(content)
        for name, iban in {"old": "FR7630006000011234567890189", "new": "FR1420041010050500013M02606"}.items():
            (folder / f"{name}.csv").write_text(f"practice,name,iban,bic\n{PRACTICE},Cabinet Zébulon,{iban},\n")
        self.folder = folder
        init_hub(self.directory)
        self.run("product", "load", str(folder / "base.yaml"), "--insurer", AMC)
        self.run("practice", "load", str(folder / "old.csv"))
        self.run("practice", "rib", "ask", str(folder / "new.csv"), *OPERATOR)

    def said(self, *words: str, **environment: str) -> Result:
        env = {"ECLUSE_DIR": str(self.directory), **environment}
        return CliRunner().invoke(complete(), [*words, "--json"], env=env)

    def run(self, *words: str) -> Any:
        done = self.said(*words)
        assert done.exception is None, done.exception
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    def entries(self, operation: Operation) -> list[Entry]:
        return [each for each in entries_in(self.directory / "journal") if each.operation is operation]

    def state(self) -> dict[str, Any]:
        """What operators see of products, keys and changes that wait."""
        with open_hub(self.directory) as hub:
            in_force = hub.run(hub.products.in_force(AMC, "BASE"))
        return {"keys": self.run("keys", "show"), "ribs": self.run("practice", "rib", "show"), "product": in_force}


@pytest.fixture
def hub(tmp_path: Path) -> Traced:
    return Traced(tmp_path)


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        ("product load {folder}/next.yaml --insurer 0075123456", Operation.PRODUCT_LOADED),
        ("product load {folder}/next.yaml --insurer 0075999999", Operation.PRODUCT_LOADED),
        (f"practice rib drop {PRACTICE} --operator b.durand --reason non", Operation.RIB_CHANGE),
        ("keys rotate --all --data", Operation.KEYS_ROTATED),
        ("keys rotate --insurer 0075123456 --index", Operation.KEYS_ROTATED),
        ("keys rotate --pass", Operation.KEYS_ROTATED),
    ],
)
def test_what_the_journal_refuses_changes_nothing_and_is_told_once_it_is_done(
    hub: Traced, words: str, operation: Operation
) -> None:
    before, told = hub.state(), hub.entries(operation)
    typed = words.format(folder=hub.folder).split()
    refused = hub.said(*typed, **RENAMED).exception
    assert isinstance(refused, Refused)
    assert refused.code in ("journal_origin_changed", "journal_poisoned")
    assert (hub.state(), hub.entries(operation)) == (before, told)
    hub.run(*typed)
    assert len(hub.entries(operation)) > len(told)


class KilledError(Exception):
    """What was under way is not gone on with."""


class KilledAfter:
    """A journal whose process goes no further once an entry is durable."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, entries: Sequence[bytes]) -> Mark:
        self._log.append(entries)
        raise KilledError


def test_a_load_killed_after_its_entry_is_told_again(hub: Traced) -> None:
    with pytest.raises(KilledError), open_hub(hub.directory, KilledAfter) as killed:
        killed.run(load_product(killed, AMC, NEXT.encode()))
    assert hub.state()["product"] == version(read_product(PRODUCT.encode()))
    assert hub.run("product", "load", str(hub.folder / "next.yaml"), "--insurer", AMC)["changed"]
    named = f"BASE {version(read_product(NEXT.encode()))}"
    assert [each.outcome for each in hub.entries(Operation.PRODUCT_LOADED)][1:] == [named, named]
    assert not hub.run("product", "load", str(hub.folder / "next.yaml"), "--insurer", AMC)["changed"]
