import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from till import House, house

from tests.conftest import Fresh


@pytest.fixture
def older(hub: House, tmp_path: Path, fresh_store: Fresh) -> Iterator[House]:
    """The database of `hub` as it was restored: what the test does here too was before; keys and files out are the same."""
    shutil.copytree(tmp_path / "keys", tmp_path / "older" / "keys")
    with fresh_store() as url, house(tmp_path / "older", url) as made:
        made.till = dataclasses.replace(made.till, clock=hub.clock, post=hub.till.post)
        made.know(1, 2, 3)
        made.know_insurers()
        yield made


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[House]:
    """Practices 1 to 3 and both insurers known; 4 is not. On each engine in turn."""
    with house(tmp_path, store_url) as made:
        made.know(1, 2, 3)
        made.know_insurers()
        yield made
