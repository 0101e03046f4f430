"""A hub's keys on every engine that is installed; the stores of one hub, on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.engines.keys.keyring import Opening
from tests.contract.places import Place, Server, server, token
from tests.contract.store_hub import StoreHub

ENGINES = ("file", "plain file", "pkcs11", "openbao")


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running OpenBao."""
    with server(tmp_path_factory.mktemp("bao")) as running:
        yield running


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What follows `pkcs11:` for a SoftHSM2 token."""
    return token(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A new hub's keys, on the engine of the test's parameter."""
    engine = request.param
    if engine == "pkcs11":
        return Place("pkcs11", Opening(request.getfixturevalue("softhsm"), tmp_path))
    if engine == "openbao":
        running: Server = request.getfixturevalue("bao")
        (tmp_path / "token").write_text(running.token)
        return Place("openbao", Opening(f"{running.url}?mount=transit&token-file=token", tmp_path))
    return Place("file", Opening("keys/hub.keys", tmp_path, "" if engine == "plain file" else "a long passphrase"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `place` runs on every engine, unless it names its own."""
    chosen = [mark for mark in metafunc.definition.iter_markers("parametrize") if mark.args[0] == "place"]
    if "place" in metafunc.fixturenames and not chosen:
        metafunc.parametrize("place", ENGINES, indirect=True)


@pytest.fixture
def hub(store_url: str, tmp_path: Path) -> Iterator[StoreHub]:
    """One insurer is served; nobody is covered yet."""
    made = StoreHub(store_url, tmp_path)
    yield made
    made.close()
