import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from till import House, house


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[House]:
    """Practices 1 to 3 and both insurers known; 4 is not. On each engine in turn."""
    with house(tmp_path, store_url) as made:
        made.know(1, 2, 3)
        made.know_insurers()
        yield made
