"""`ecluse doctor`: a sound installation is found sound; broken in each way, it says which, and what to do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import httpx
import pytest

from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.wiring import open_hub
from tests.journeys.site import AMC, Site

FAR_TS_US = 4_000_000_000_000_000  # the year 2096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A hub with a product and a member, sealed, whose account is its own."""
    site = Site(tmp_path_factory.mktemp("sound") / "hub", ECLUSE_KEYS_PASSPHRASE="écluse du Sanitas")
    site.make()
    site.load([{}])
    settings = site.directory / "ecluse.toml"
    settings.write_text(settings.read_text().replace("FR7630006000011234567890189", "FR1420041010050500013M02606"))
    return site


@pytest.fixture
def broken(sound: Site, tmp_path: Path) -> Site:
    """A copy of it, to be broken."""
    shutil.copytree(sound.directory, tmp_path / "hub", symlinks=True)
    (tmp_path / "hub").chmod(0o700)
    told = {"ECLUSE_HTTP_PORT": str(free_port()), "ECLUSE_GATE_DETECTORS": "act"}
    return Site(tmp_path / "hub", ECLUSE_KEYS_PASSPHRASE="écluse du Sanitas", **told)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def examined(site: Site) -> tuple[int, dict[str, Any]]:
    done = site.run("doctor", "--json", check=False)
    assert done.returncode in (0, 2), done.stderr
    return done.returncode, {each["check"]: each for each in json.loads(done.stdout)["checks"]}


def test_a_sound_hub_is_sound(broken: Site) -> None:
    code, checks = examined(broken)
    assert (code, [each["check"] for each in checks.values() if each["verdict"] == "wrong"]) == (0, [])
    warnings = {name for name, each in checks.items() if each["verdict"] == "warning"}
    of_development = {"mode", "journal origin", "second home"}
    assert warnings <= of_development | {"disk sync", "versions"}  # a disk of the test's machine; its libraries
    assert all(each["do"] for each in checks.values() if each["verdict"] != "ok")


def test_it_says_so_to_people_too_and_changes_nothing(broken: Site) -> None:
    before = {path: path.stat().st_mtime_ns for path in broken.directory.rglob("*.db")}
    done = broken.run("doctor")
    assert "ok       database" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in broken.directory.rglob("*.db")} == before
    assert not [*broken.directory.rglob(".probe*")]


def sql(site: Site, statement: str) -> None:
    with sqlite3.connect(site.directory / "hub.db") as connection:
        connection.execute(statement)


def damage_database(site: Site) -> None:
    with sqlite3.connect(site.directory / "hub.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((site.directory / "hub.db").read_bytes())
    content[4096 * 3 : 4096 * 3 + 2000] = os.urandom(2000)
    (site.directory / "hub.db").write_bytes(content)


def damage_pages(name: str) -> Callable[[Site], None]:
    """Every page but the first, as a disk does it: the file opens, and one day does not answer."""

    def act(site: Site) -> None:
        file = site.directory / name
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = bytearray(file.read_bytes())
        for page in range(4096, len(content), 4096):
            content[page : page + 200] = os.urandom(200)
        file.write_bytes(content)

    return act


def overwrite(name: str) -> Callable[[Site], None]:
    return lambda site: (site.directory / name).write_bytes(b"noise" * 2000)


def segment(site: Site) -> Path:
    return next((site.directory / "journal").glob("*/wal/*.seg"))


def tear(site: Site) -> None:
    with segment(site).open("ab") as writing:
        writing.write(b"\x00\x00\x01\x00torn")


def prune(site: Site) -> None:
    """As the list of shards says it after `ecluse journal prune`."""
    shards = site.directory / "journal" / "shards.json"
    of_before = {"name": "2020-01-w0", "key": "k", "state": "frozen", "size": 1, "root": "00", "pruned": 1}
    shards.write_text(json.dumps([of_before, *json.loads(shards.read_text())]))


def lose_segment(site: Site) -> None:
    segment(site).with_name(f"{10**9:020d}.seg").write_bytes(b"")


def come_from_the_future(site: Site) -> None:
    entry = Entry(FORMAT, FAR_TS_US, Operation.RIGHTS_CHECK, "", "", "", b"", 0, 0, "", "", "", b"")
    with pytest.MonkeyPatch.context() as here, catch_warnings(action="ignore"):
        here.setenv("ECLUSE_KEYS_PASSPHRASE", site.environment["ECLUSE_KEYS_PASSPHRASE"])
        with open_hub(site.directory) as hub:
            hub.log.append([encode(entry)])


def replace_in_settings(old: str, new: str) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        file = site.directory / "ecluse.toml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return act


def remove(pattern: str) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        for each in site.directory.glob(pattern):
            each.unlink()

    return act


def put(name: str) -> Callable[[Site], None]:
    def act(site: Site) -> None:
        (site.directory / name).parent.mkdir(parents=True, exist_ok=True)
        (site.directory / name).write_bytes(b"")

    return act


def environment(**variables: str) -> Callable[[Site], None]:
    return lambda site: site.environment.update(variables)


def mode(name: str, bits: int) -> Callable[[Site], None]:
    return lambda site: (site.directory / name).chmod(bits)


PRODUCTION = environment(ECLUSE_HUB_MODE="production")
WAYS: dict[str, tuple[Callable[[Site], object], str, str, str]] = {
    # How it is broken: by what → which check, how bad, a word of what it says.
    "no settings": (remove("ecluse.toml"), "opens", "wrong", "not_a_hub"),
    "a wrong setting": (replace_in_settings("in_flight_max = 64", "in_flight_max = 0"), "opens", "wrong", "$.http.in_flight_max"),
    "another passphrase": (environment(ECLUSE_KEYS_PASSPHRASE="x"), "opens", "wrong", "keys_locked"),
    "no keys": (remove("keys/hub.keys"), "opens", "wrong", "keys/hub.keys is not there"),
    "no database": (remove("hub.db*"), "opens", "wrong", "hub.db is not there"),
    "no issuer's keys": (remove("keys/*.jwks.json"), "opens", "wrong", "jwks_unreadable"),
    "a portal without a key": (
        environment(ECLUSE_ISSUERS='[{"name": "https://psc.example", "audience": "ecluse"}]',
                    ECLUSE_PORTAL_ISSUER="https://psc.example", ECLUSE_PORTAL_CLIENT_ID="ecluse"),
        "opens", "wrong", "portal_key_invalid"),
    "a misspelt variable": (environment(ECLUSE_HTTP_PROT="80"), "variables", "warning", "ECLUSE_HTTP_PORT"),
    "production without an issuer": (PRODUCTION, "issuers", "wrong", "no issuer"),
    "production with an issuer that may vouch for anybody": (
        environment(ECLUSE_HUB_MODE="production", ECLUSE_HTTP_PUBLIC_URL="https://hub.example.fr",
                    ECLUSE_ISSUERS='[{"name": "https://psc.example", "audience": "ecluse"}]'),
        "issuers", "warning", "https://psc.example may vouch for anybody"),
    "production with an insurer's issuer that may vouch for the others": (
        environment(ECLUSE_HUB_MODE="production", ECLUSE_HTTP_PUBLIC_URL="https://hub.example.fr",
                    ECLUSE_ISSUERS='[{"name": "https://psc.example", "audience": "ecluse", "subjects": ["rpps"]},'
                                   ' {"name": "https://a.example", "audience": "ecluse", "subjects": ["amc"]}]'),
        "issuers", "warning", "https://a.example may vouch for"),
    "production with the made-up account": (
        lambda site: (PRODUCTION(site), replace_in_settings("FR1420041010050500013M02606", "FR7630006000011234567890189")(site)),
        "bank account", "wrong", "made-up"),
    "keys that others read": (mode("keys/hub.keys", 0o644), "permissions", "wrong", "keys/hub.keys"),
    "a folder open to all": (mode(".", 0o755), "permissions", "wrong", "hub.db"),
    "a torn journal": (tear, "journal", "warning", "8 bytes"),
    "a journal with a hole": (lose_segment, "journal", "wrong", "the next segment begins at"),
    "a journal that was renamed": (
        environment(ECLUSE_JOURNAL_ORIGIN="hub.test/journal"), "journal origin", "wrong", "signed as dev.ecluse.invalid"),
    "production over a journal of development": (PRODUCTION, "journal origin", "wrong", "signed under the made-up name"),
    "a clock that went back": (come_from_the_future, "clock", "wrong", "before the newest entry"),
    "a damaged database": (damage_database, "database", "wrong", "the database is damaged"),
    "a damaged file of the gate": (damage_pages("gate.db"), "database", "wrong", "gate.db is damaged"),
    "a damaged file of the watcher": (damage_pages("sensed.db"), "database", "wrong", "sensed.db is damaged"),
    "engagements that are noise": (overwrite("engagements.db"), "database", "wrong", "engagements.db is damaged"),
    "a gate that is noise": (overwrite("gate.db"), "opens", "wrong", "part_damaged: gate.db: file is not a database"),
    "a database that is noise": (overwrite("hub.db"), "opens", "wrong", "part_damaged: hub.db: file is not a database"),
    "a gate lost beside pruned months": (
        lambda site: (prune(site), remove("gate.db*")(site)), "opens", "wrong", "gate.db is not there"),
    "rights that are lost": (remove("rights/*.db"), "insurers", "wrong", f"rights of {AMC} are lost"),
    "an insurer without products": (
        lambda site: sql(site, "DELETE FROM product"), "insurers", "wrong", "no product in force"),
    "an insurer without rights": (
        lambda site: sql(site, "UPDATE insurer SET generation = NULL"), "insurers", "warning", "no rights"),
    "a feed not finished": (
        lambda site: sql(site, "UPDATE feed SET state = 'loading'"), "feeds", "warning", "1 not finished"),
    "a killed load": (put("staging/fee_X.db"), "left behind", "warning", "staging/fee_X.db"),
    "a half-made generation": (put(f"rights/{AMC}-fee_X.building"), "left behind", "warning", ".building"),
    "a half-written file out": (put("out/bank/x.xml.part"), "left behind", "warning", "x.xml.part"),
    "a run not written": (
        lambda site: sql(site, "INSERT INTO pay_run (id, received_until, execute_on, state, at_ts_us, debtor, summary) "
                         "VALUES ('run_X', '2026-01-01', '2026-01-02', 'ordered', 1, x'', x'7b7d')"),
        "payment runs", "wrong", "run_X"),
    "a run that only files know": (
        put("out/remittances/2026-01-01/rem_01KAKGJ000000000000A.json"), "payment runs", "wrong", "run_2026-01-01_?"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_break_a_hub_is_named(broken: Site, way: str) -> None:
    breaking, check, verdict, said = WAYS[way]
    breaking(broken)
    code, checks = examined(broken)
    assert checks[check]["verdict"] == verdict, checks[check]
    assert said in checks[check]["found"], checks[check]
    assert checks[check]["do"]
    assert code == (2 if any(each["verdict"] == "wrong" for each in checks.values()) else 0)


def test_a_port_that_another_program_has(broken: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(broken.environment["ECLUSE_HTTP_PORT"])))
        taken.listen()
        assert examined(broken)[1]["port"]["verdict"] == "wrong"


def test_it_runs_beside_a_hub_that_answers(broken: Site) -> None:
    broken.start()
    broken.environment["ECLUSE_HTTP_PORT"] = broken.url.rpartition(":")[2]
    code, checks = examined(broken)
    assert httpx.get(f"{broken.url}/readyz").status_code == 200
    broken.stop()
    assert (code, checks["port"]["found"]) == (0, "a hub answers there")


def test_too_few_open_files(broken: Site) -> None:
    """In a shell of its own: this process, among others of the suite, may have more files open than that."""
    command = ["sh", "-c", 'ulimit -n 256; exec "$0" doctor --json', str(Path(sys.executable).with_name("ecluse"))]
    done = subprocess.run(command, env=broken.environment, capture_output=True, text=True, check=False)
    [found] = [each for each in json.loads(done.stdout)["checks"] if each["check"] == "open files"]
    assert (done.returncode, found["verdict"]) == (0, "warning")
