"""A store put back to an earlier time: `ecluse journal missing` names what the journal has and it lacks, on both engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.traffic import asked, claim, people
from tests.journeys.site import AMC, PRACTICE, PRODUCT, Site, today
from tests.servers import Server
from tests.stores import EMBEDDED, LONG, VARIABLE

IBAN = "FR7630006000011234567890189"
Restore = Callable[[], None]


@pytest.fixture(params=LONG)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A hub with people in it and a practice that can be paid; `keep` notes its store, `restore` puts it back."""
    made = Site(tmp_path / "hub", **{VARIABLE: EMBEDDED})
    if request.param != "sqlite":
        server: Server = request.getfixturevalue("postgres")
        made.environment[VARIABLE] = server.url(server.fresh())
    made.make()
    made.load(people())
    (tmp_path / "practices.csv").write_text(f"practice,name,iban,bic\n{PRACTICE},Cabinet,{IBAN},\n")
    made.run("practice", "load", str(tmp_path / "practices.csv"))
    yield made
    if made.process:
        made.stop()


def kept(site: Site, request: pytest.FixtureRequest) -> Restore:
    """Note the store as it is, nobody being there; what brings it back."""
    if site.environment[VARIABLE] == EMBEDDED:
        files = [site.directory / name for name in ("hub.db", "engagements.db")]
        for file in files:
            shutil.copy(file, file.with_suffix(".then"))
        shutil.copytree(site.directory / "rights", site.directory.parent / "rights")

        def restore() -> None:
            for left in [*site.directory.glob("*.db-*"), *(site.directory / "rights").glob("*")]:
                left.unlink()
            for file in files:
                shutil.copy(file.with_suffix(".then"), file)
            shutil.copytree(site.directory / "rights", site.directory.parent / "now")
            shutil.copytree(site.directory.parent / "rights", site.directory / "rights", dirs_exist_ok=True)

        return restore
    server: Server = request.getfixturevalue("postgres")
    database = site.environment[VARIABLE].rpartition("/")[2]
    server.sql(f"CREATE DATABASE {database}_then TEMPLATE {database}")

    def back() -> None:
        site.environment[VARIABLE] = server.url(f"{database}_then")

    return back


def told(site: Site, numbers: range) -> dict[str, list[str]]:
    """Checks and claims of these numbers, the last claim cancelled: the ids they were told under."""
    ids: dict[str, list[str]] = {"engagements": [], "claims": [], "cancellations": []}
    with site.client() as client:
        for number in numbers:
            ids["engagements"].append(client.post("/v1/rights/checks", json=asked(number)).json()["check_id"])
            for _ in range(2):  # sent twice, told twice, one claim
                answer = client.post("/v1/claims", json=claim(number)).json()
            ids["claims"].append(answer["claim_id"])
        ids["cancellations"].append(ids["claims"][-1])
        gone = client.post(f"/v1/claims/{ids['claims'][-1]}/cancellation", json={"reason": "other"})
        assert gone.status_code == 200, gone.text
    return ids


def missing(site: Site, *words: str) -> tuple[int, dict[str, Any]]:
    done = site.run("journal", "missing", "--json", *words, check=False)
    assert done.returncode in (0, 2), done.stderr
    return done.returncode, json.loads(done.stdout)


def listed(found: dict[str, Any]) -> dict[str, set[str]]:
    return {kind: {one["id"] for one in each["listed"]} for kind, each in found["kinds"].items()}


def test_what_a_restored_store_lacks_is_named(site: Site, request: pytest.FixtureRequest) -> None:
    site.start()
    told(site, range(3))
    assert missing(site)[0] == 0  # while it answers
    site.stop()
    restore = kept(site, request)
    site.start()
    ids = told(site, range(3, 8))
    site.stop()
    run = site.json("pay", "run", "--date", today())["made"]
    feed = site.load(people()[:5])["feed_id"]
    product = site.directory.parent / "more.yaml"
    product.write_text(PRODUCT.replace("BASE", "MORE"))
    site.run("product", "load", str(product), "--insurer", AMC)
    assert missing(site)[0] == 0

    restore()
    code, found = missing(site)
    assert (code, found["missing"], found["runs"]) == (2, True, [run])
    names = listed(found)
    assert {kind: names[kind] for kind in ids} == {kind: set(some) for kind, some in ids.items()}
    assert (names["feeds"], len(names["products"])) == ({feed}, 1)
    assert all(each["todo"] for each in found["kinds"].values())
    refused = site.run("pay", "run", "--date", today(), check=False)
    assert (refused.returncode, "run_lost" in refused.stderr, "ecluse journal missing" in refused.stderr) == (
        2,
        True,
        True,
    )

    given = (site.directory / "out").rename(site.directory.parent / "given")
    assert missing(site)[1]["runs"] == [run]  # the journal alone knows
    given.rename(site.directory / "out")

    said = site.run("journal", "missing", check=False)
    assert PRACTICE not in said.stdout
    assert PRACTICE in site.run("journal", "missing", "--practices", check=False).stdout
    assert not said.stderr.replace("\n", "") or "development" in said.stderr

    early = site.run("pay", "enter", run, check=False)
    assert (early.returncode, "run_lines_missing" in early.stderr, PRACTICE in early.stderr) == (2, True, True)
    site.start()  # copies the engagements; practices send again what was lost
    with site.client() as client:
        for number in range(3, 7):
            assert client.post("/v1/claims", json=claim(number)).status_code == 201
    site.stop()
    enters(site, run)
    again = listed(missing(site)[1])
    assert (again["engagements"], again["claims"]) == (set(), set(ids["claims"]))  # sent again, it has a new id
    later = missing(site, "--since", "2200-01-01T00:00:00+01:00")[1]
    assert not any(each["journalled"] for each in later["kinds"].values())


def enters(site: Site, run: str) -> None:
    """The lost run is entered from its files, once; what it paid is not paid again, what it did not pay is."""
    given = {file: file.read_bytes() for file in (site.directory / "out").rglob("*.*")}
    site.start()
    with site.client() as client:
        assert client.post("/v1/claims", json=claim(40)).status_code == 201  # due, and not in that run
    site.stop()
    entered = site.json("pay", "enter", run)
    assert (entered["entered"], entered["run"]["id"], entered["run"]["summary"]["transfers"]) == (True, run, 1)
    assert site.json("pay", "enter", run)["entered"] is False
    files = site.json("pay", "files", run)["files"]
    assert all(Path(file).read_bytes() == given[Path(file)] for file in files)  # the very bytes the bank was given
    made = site.json("pay", "run", "--date", today())
    assert (made["made"], made["summary"]["claims"]) == (f"{run[:-1]}2", 1)
    assert missing(site)[1]["runs"] == []


def test_a_run_whose_files_are_gone_is_not_entered(site: Site, request: pytest.FixtureRequest) -> None:
    site.start()
    told(site, range(3))
    site.stop()
    restore = kept(site, request)
    run = site.json("pay", "run", "--date", today())["made"]
    restore()
    remittance = next((site.directory / "out" / "remittances").rglob("*.json"))
    whole = remittance.read_bytes()
    for content in (None, b"{", whole.replace(b'"total_cents": ', b'"total_cents": 1')):
        remittance.unlink()
        if content is not None:
            remittance.write_bytes(content)
        refused = site.run("pay", "enter", run, check=False)
        assert (refused.returncode, "run_files_missing" in refused.stderr) == (2, True), refused.stderr
        remittance.touch()
    remittance.write_bytes(whole)
    call = next((site.directory / "out" / "calls").rglob("*.json"))
    aside = call.rename(call.with_suffix(".aside"))
    refused = site.run("pay", "enter", run, check=False)
    assert (refused.returncode, "run_differs" in refused.stderr) == (2, True), refused.stderr
    aside.rename(call)
    assert site.json("pay", "enter", run)["entered"]
    assert site.run("pay", "enter", "run_nothing", check=False).returncode == 2


def test_an_instant_is_one(site: Site) -> None:
    refused = site.run("journal", "missing", "--since", "yesterday", check=False)
    assert (refused.returncode, "instant_invalid" in refused.stderr) == (2, True)
