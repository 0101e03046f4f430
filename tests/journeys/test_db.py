"""`ecluse db`: a hub of the first version, with claims and money in it, is upgraded and goes on where it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecluse.engines.schema import FIRST, HEAD
from tests.first import CASES, write_first
from tests.journeys.site import Site, question, today
from tests.servers import Server

ANSWERED = json.loads((CASES / "first.json").read_text())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A directory as the first version left it: its database, its keys, a made-up bank account."""
    made = Site(tmp_path / "hub")
    made.run("init", str(made.directory))
    for file in made.directory.glob("*.db*"):
        file.unlink()
    write_first(made.directory / "hub.db")
    shutil.copy(CASES / "first.keys", made.directory / "keys" / "hub.keys")
    return made


def test_a_hub_of_the_first_version_goes_on_after_an_upgrade(site: Site) -> None:
    refused = site.run("pay", "list", check=False)
    assert (refused.returncode, "database_outdated" in refused.stderr) == (2, True)
    done = site.run("db", "upgrade").stdout
    assert f"{FIRST} → {HEAD}" in done
    assert "hub.db.0001" in done
    assert f"{HEAD}, this program needs {HEAD}" in site.run("db", "check").stdout
    keeps_what_it_had(site)
    goes_on(site)


def keeps_what_it_had(site: Site) -> None:
    """What it had sealed opens: the same answers, and the same files to the byte."""
    remittance = ANSWERED["remittance"]
    assert site.json("pay", "show", remittance["remittance_id"]) == remittance
    site.run("pay", "files", "run_2026-11-25_1")
    for place, text in ANSWERED["files"].items():
        assert (site.directory / "out" / place).read_text() == text


def goes_on(site: Site) -> None:
    """Rights are loaded, asked for, claimed; the next run pays the new claim and the one that was waiting."""
    site.load([{"contract": "C2"}])  # another file than the one it had loaded: the same one would be the same feed
    site.start()
    try:
        with site.client() as client:
            number = client.post("/v1/rights/checks", json=question()).json()["engagement"]["number"]
            line = {"line": 1, "act": "CS", "date": today(), "quantity": 1, "expense_cents": 8000, "base_cents": 3150}
            body = {"invoice": "F-6", "engagement": number, "lines": [line | {"amo_rate": "70%"}]}
            claim = client.post("/v1/claims", json=body).json()
            assert (claim["status"], claim["amc_cents"]) == ("accepted", 4095)
            again = client.post("/v1/claims", json=body | {"invoice": "F-1"}).json()
            assert again["code"] == "invoice_reused"
            for kept in client.get("/v1/claims", params={"state": "settled"}).json()["claims"]:
                shown = client.get(f"/v1/claims/{kept['claim_id']}").json()
                assert "Il vous reste" in shown["lines"][0]["because"][-1], "what older claims remember is explained"
    finally:
        site.stop()
    report = site.json("pay", "run", "--date", today())
    assert report["summary"]["ordered_cents"] == 4095 + 4095


def test_a_second_hub_takes_no_database_that_has_one(tmp_path: Path, postgres: Server) -> None:
    """Its keys open nothing there: a feed it loaded once blinded the first one. What is mended is made, in the same directory."""
    first = Site(tmp_path / "first", ECLUSE_STORE_URL=postgres.url(postgres.fresh()))
    first.make()
    second = Site(tmp_path / "second", ECLUSE_STORE_URL=first.environment["ECLUSE_STORE_URL"])
    refused = second.run("init", str(second.directory), check=False)
    assert (refused.returncode, refused.stderr.split(":")[0]) == (2, "database_in_use")
    second.environment["ECLUSE_STORE_URL"] = postgres.url(postgres.fresh())
    second.make()


def test_json_for_machines(site: Site) -> None:
    looked = site.run("db", "check", "--json", check=False)
    assert (looked.returncode, "database_outdated" in looked.stderr) == (2, True)
    (before,) = json.loads(looked.stdout)
    assert (before["revision"], before["head"]) == (FIRST, HEAD)
    (done,) = site.json("db", "upgrade")
    assert (done["before"], done["after"]) == (FIRST, HEAD)
    assert Path(done["kept"]).exists()
    assert f"already at {HEAD}" in site.run("db", "upgrade").stdout


def test_no_engine_for_this_url_is_said(site: Site) -> None:
    site.environment["ECLUSE_STORE_URL"] = "oracle://db/hub"
    refused = site.run("db", "upgrade", check=False)
    assert (refused.returncode, refused.stderr.startswith("engine_unknown")) == (2, True)


def test_a_server_that_is_not_there_is_said_without_the_password(site: Site) -> None:
    site.environment["ECLUSE_STORE_URL"] = "postgresql://hub:hush@127.0.0.1:1/hub"
    refused = site.run("db", "upgrade", check=False)
    assert (refused.returncode, refused.stderr.startswith("database_unreachable")) == (2, True)
    assert "hush" not in refused.stderr
