"""One hub on one PostgreSQL server, reached through a cable, for all faults; every law must hold after each."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.disk import DISK_MIB
from tests.faults.proxy import Cable, cable
from tests.faults.traffic import Told, Traffic, hold_told, people
from tests.journeys.site import PRACTICE, Site
from tests.servers import Server, started

IBAN = "FR7630006000011234567890189"  # what banks print in their own examples


@dataclass
class Faulty:
    """A hub that answers, its server, the cable between them, and what was told so far."""

    site: Site
    server: Server
    cable: Cable
    database: str
    told: Told

    def traffic(self) -> Traffic:
        """Practices that ask and bill."""
        return Traffic(self.site.url, self.site.own_token, self.told)

    def hold(self) -> None:
        """Everything told holds."""
        hold_told(self.site, self.server, self.database, self.told)

    def last(self, query: str) -> str:
        """What the hub's database says."""
        return self.server.sql(query, self.database)


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """The hub, with people in it and a practice that can be paid."""
    directory = tmp_path_factory.mktemp("faulty")
    with started() as server:
        database = server.fresh()
        with cable(server.url(database)) as between:
            site = Site(directory / "hub", ECLUSE_STORE_URL=between.url, ECLUSE_STORE_CONNECTIONS_MAX="4")
            site.make()
            site.load(people())
            (directory / "practices.csv").write_text(f"practice,name,iban,bic\n{PRACTICE},Cabinet,{IBAN},\n")
            site.run("practice", "load", str(directory / "practices.csv"))
            site.start()
            yield Faulty(site, server, between, database, Told())
            site.stop()


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk, where the server's own user gets to: not among pytest's folders, which it closes to others."""
    mounted = Path(tempfile.mkdtemp(prefix="ecluse-disk-"))
    mounted.chmod(0o755)
    size = f"size={DISK_MIB}m,mode=0777"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", mounted], capture_output=True, check=False)
    if made.returncode:
        mounted.rmdir()
        pytest.skip("a small disk cannot be made here: mounting takes root")
    yield mounted
    subprocess.run(["umount", "-l", mounted], check=True)
    mounted.rmdir()
