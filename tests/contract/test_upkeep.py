"""`ecluse doctor`, readiness and metrics say the same of a hub on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.site import AMC, Site


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A hub with one insurer and one member on each engine."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else "sqlite:hub.db"
    site = Site(tmp_path / "hub", ECLUSE_STORE_URL=url)
    site.make()
    site.load([{}])
    yield site
    if site.process:
        site.stop()


def test_a_sound_store_is_sound(kept: Site) -> None:
    done = kept.run("doctor", "--json", check=False)
    checks = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    assert {name: checks[name]["verdict"] for name in ("opens", "database", "insurers", "feeds", "payment runs")} == {
        "opens": "ok", "database": "ok", "insurers": "ok", "feeds": "ok", "payment runs": "ok"}  # fmt: skip
    assert checks["insurers"]["found"].startswith("1 served")
    assert checks["feeds"]["found"] == "1 loaded"
    assert AMC not in done.stdout


def test_readiness_and_metrics_ask_it(kept: Site) -> None:
    kept.start()
    assert httpx.get(f"{kept.url}/readyz").json() == {"status": "ready", "parts": []}
    assert 'ecluse_feeds{state="loaded"} 1.0' in httpx.get(f"{kept.url}/metrics").text
