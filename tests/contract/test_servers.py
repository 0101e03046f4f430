"""The servers tests stand on, and TLS by setting: a killed one comes back, a replica follows, a stranger is not believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.engines.upgrade import check, upgrade
from ecluse.kernel.errors import Refused
from tests.certificates import Certificate, certificate
from tests.servers import Server, started


def test_a_killed_server_comes_back_with_what_it_had() -> None:
    with started() as server:
        database = server.fresh()
        server.sql("INSERT INTO practice VALUES ('1', '')", database)
        server.kill()
        with pytest.raises(Refused, match="database_unreachable"):
            check(server.url(database))
        server.start()
        assert server.sql("SELECT practice FROM practice", database) == "1"


def test_a_replica_follows() -> None:
    with started() as primary:
        replica = Server()
        try:
            replica.follow(primary)
            replica.start()
            primary.sql("CREATE TABLE here (n int); INSERT INTO here VALUES (1)")
            until_s = time.monotonic() + 10
            while replica.sql("SELECT to_regclass('here') IS NOT NULL") != "t" and time.monotonic() < until_s:
                time.sleep(0.01)
            assert replica.sql("SELECT n FROM here") == "1"
        finally:
            replica.remove()


@pytest.fixture(scope="module")
def shown() -> Certificate:
    return certificate()


@pytest.fixture(scope="module")
def sealed(shown: Certificate) -> Iterator[Server]:
    with started(tls=shown) as server:
        yield server


def test_a_server_that_shows_our_authoritys_certificate_is_believed(
    sealed: Server, shown: Certificate, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(shown.authority)
    url = sealed.url(sealed.empty(), sslmode="verify-full", sslrootcert=str(tmp_path / "ca.pem"))
    assert upgrade(url).before == ""
    check(url).hold()


def test_a_server_signed_by_another_authority_is_refused(sealed: Server, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate().authority)
    url = sealed.url("postgres", sslmode="verify-full", sslrootcert=str(tmp_path / "ca.pem"))
    with pytest.raises(Refused, match=r"database_unreachable: .*certificate"):
        upgrade(url)


def test_a_server_known_by_another_name_is_refused(sealed: Server, shown: Certificate, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(shown.authority)
    url = sealed.url("postgres", sslmode="verify-full", sslrootcert=str(tmp_path / "ca.pem"))
    with pytest.raises(Refused, match=r"database_unreachable: .*certificate"):
        check(url.replace("127.0.0.1", "localhost"))


def test_a_server_without_tls_is_refused_when_tls_is_asked_for(postgres: Server) -> None:
    with pytest.raises(Refused, match="database_unreachable"):
        check(postgres.url("postgres", sslmode="require"))
