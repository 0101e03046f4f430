"""The databases of a hub, brought to this program's schema: one file, or each server once."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ecluse.engines.parts import damage_named
from ecluse.engines.schema import Schema, Upgraded
from ecluse.settings import read_settings
from ecluse.wiring.engines import STORES, plug

UPGRADE = "ecluse.engines.upgrade"  # imports Alembic: a third of a second that only its commands pay


def upgrade_databases(directory: Path, *, new: bool = False) -> list[Upgraded]:
    """Bring every database of the hub to this program's schema; only a `new` hub is given the file of one.

    Raises `part_missing`, `part_damaged`, `database_newer`, `database_unreachable`, and of a new hub `database_in_use`.
    """
    module = import_module(UPGRADE)
    for each in check_databases(directory) if not new else ():
        each.hold_there()
    return [module.upgrade(url, new=new) for url in _databases(directory)]


def check_databases(directory: Path) -> list[Schema]:
    """The schema each database of the hub has, changing none. Raises `part_damaged`, `database_unreachable`."""
    module = import_module(UPGRADE)
    with damage_named(directory):
        return [module.check(url) for url in _databases(directory)]


def _databases(directory: Path) -> list[str]:
    store = read_settings(directory).store
    plug(store.url, STORES)
    if store.url.startswith("sqlite:"):
        return [f"sqlite:{directory / store.url.removeprefix('sqlite:')}"]
    return list(dict.fromkeys([store.url, *store.servers.values()]))
