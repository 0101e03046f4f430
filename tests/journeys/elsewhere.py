"""A hub whose keys are in a token made in software, or on a key server: both really run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.places import server, token
from tests.journeys.site import Site

ENGINES = [pytest.param("pkcs11", marks=pytest.mark.slow), "openbao"]


@contextlib.contextmanager
def site_with_keys_elsewhere(tmp_path: Path, engine: str) -> Iterator[tuple[Site, Path | None]]:
    """The hub, made and not started, stopped at the end; and the audit log of where its keys are, if that keeps one."""
    with contextlib.ExitStack() as stack:
        audit = None
        if engine == "pkcs11":
            url = "pkcs11:" + token(tmp_path / "token")
        else:
            running = stack.enter_context(server(tmp_path / "bao"))
            (tmp_path / "bao.token").write_text(running.token)
            url, audit = f"openbao:{running.url}?token-file={tmp_path / 'bao.token'}", running.audit
        site = Site(tmp_path / "hub", ECLUSE_KEYS_URL=url)
        stack.callback(lambda: site.process and site.stop())
        site.make()
        yield site, audit
