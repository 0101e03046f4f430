"""Keys of passes as operators, insurers and verifiers meet them: rotated, believed side by side, retired by two, killed."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from ecluse.app.destroying import retire
from ecluse.app.keys import rotate_pass
from ecluse.app.presence import scanned
from ecluse.doors.cli.main import typed
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.engines.keys.ring import LOOK_S
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused
from ecluse.passes.issued import from_text
from ecluse.passes.status import read_list
from ecluse.wiring import OpenHub, open_hub
from tests.contract.places import server
from tests.journal import entries_in
from tests.journeys.elsewhere import ENGINES, site_with_keys_elsewhere
from tests.journeys.members import AMC, bearer, load, make, played, row, write
from tests.journeys.site import ECLUSE, MEMBER, Site, question
from tests.journeys.test_passes import REFUSED, call, checked, issued, live, refused
from tests.vectors.passes import tiny_verifier

PHRASE = "retire pass key {} for ever"


def covered(place: Path) -> Path:
    """A hub with three people covered, never issued a pass."""
    warnings.simplefilter("ignore", DevelopmentOnly)
    with open_hub(make(place / "hub")) as opened:
        load(opened, write(place / "members.csv", [row(1), row(2), row(4)]))
    return place / "hub"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return covered(tmp_path_factory.mktemp("template"))


@pytest.fixture
def hub(template: Path, tmp_path: Path) -> Iterator[OpenHub]:
    shutil.copytree(template, tmp_path / "hub")
    with open_hub(tmp_path / "hub") as opened:
        yield opened


def command(hub: OpenHub, *words: str) -> Any:
    """What a command prints, in a process's place of its own; its refusal's code when it is refused."""
    done = CliRunner().invoke(typed([words[0]]), [*words, "--dir", str(hub.dir), "--json"])
    if isinstance(done.exception, Refused):
        return done.exception.code
    assert done.exit_code == 0, done.output
    time.sleep(LOOK_S + 0.1)  # as long as another process may not have heard
    return json.loads(done.output)


def retired(hub: OpenHub, version: int) -> None:
    """Retired, by two."""
    words = ("keys", "retire", "--pass", str(version), "--operator")
    assert command(hub, *words, "a.martin")["state"] == "asked"
    assert command(hub, *words, "b.durand", "--confirm", PHRASE.format(version))["state"] == "done"


def issuers(hub: OpenHub) -> dict[bytes, bytes]:
    """What anybody may take to verify with."""
    told = call(hub, "GET", "/passes/issuers.json", None, {}).json()["issuers"]
    return {bytes.fromhex(each["key_id"]): bytes.fromhex(each["public_key"]) for each in told}


def now_s(hub: OpenHub) -> int:
    return int(hub.clock.now().timestamp())


def test_passes_of_two_keys_are_taken_and_verified_off_line(hub: OpenHub, tmp_path: Path) -> None:
    before = issued(hub, 1)["pass"]
    (rotated,) = command(hub, "keys", "rotate", "--pass")
    assert rotated == {"scope": "hub", "data_version": None, "index_version": None, "carried": None, "pass_version": 2}
    after = issued(hub, 2)["pass"]
    assert [checked(hub, number, text).status_code for number, text in ((1, before), (2, after))] == [200, 200]
    assert issued(hub, 1)["pass"] == before  # the same wish is the same pass, byte for byte
    known = issuers(hub)
    verified = [tiny_verifier.verify(text, known, now_s(hub)) for text in (before, after)]
    assert [key_id for _, _, key_id in verified] == [*known]
    for text, (key_id, public) in zip((before, after), known.items(), strict=True):
        content = call(hub, "GET", f"/passes/{key_id.hex()}/status", None, {}).content
        (tmp_path / "list").write_bytes(content)
        assert read_list(content, public).key_id == key_id
        words = ",".join(f"{one.hex()}={two.hex()}" for one, two in known.items())
        program = [sys.executable, tiny_verifier.__file__, words, str(tmp_path / "list")]
        said = subprocess.run(program, input=text + "\n", capture_output=True, text=True, check=True).stdout
        assert said.startswith(f"pass {AMC} MED")
        told = command(hub, "pass", "status", "--key", key_id.hex(), "--out", str(tmp_path / "again"))
        assert told["key_id"] == key_id.hex()
        assert read_list((tmp_path / "again").read_bytes(), public).bits == read_list(content, public).bits
    assert command(hub, "pass", "status")["public_key"] == [*known.values()][-1].hex()
    assert command(hub, "pass", "status", "--key", "0011223344556677") == "pass_key_unknown"
    assert [(key["version"], key["state"], key["passes"], key["insurers"]) for key in told_of_keys(hub)] == [
        (1, "verifies", 1, {AMC: 1}),
        (2, "signs", 1, {AMC: 1}),
    ]
    entries = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.KEYS_ROTATED]
    assert [(each.outcome, each.insurer) for each in entries] == [("pass 2", "")]


def told_of_keys(hub: OpenHub) -> Any:
    return command(hub, "pass", "keys")["keys"]


def test_what_a_retired_key_signed_is_refused_like_any_other_and_issued_anew(hub: OpenHub) -> None:
    old, other = issued(hub, 1)["pass"], issued(hub, 2)["pass"]
    command(hub, "keys", "rotate", "--pass")
    old_id = next(iter(issuers(hub)))
    forged = checked(hub, 1, "TP1:ABC")
    retired(hub, 1)
    shown = {"as it is": checked(hub, 1, old), "live": checked(hub, 1, live(hub, old, b"nonce--1"))}
    assert {name: refused(answer) for name, answer in shown.items()} == dict.fromkeys(shown, REFUSED)
    assert {answer.content for answer in shown.values()} == {forged.content}
    assert old_id not in issuers(hub)
    assert call(hub, "GET", f"/passes/{old_id.hex()}/status", None, {}).status_code == 404
    with pytest.raises(KeyError):
        tiny_verifier.verify(old, issuers(hub), now_s(hub))
    assert [(key["state"], key["passes"]) for key in told_of_keys(hub)] == [("retired", 2), ("signs", 0)]

    new = issued(hub, 1)["pass"]
    assert (checked(hub, 1, new).status_code, refused(checked(hub, 1, old))) == (200, REFUSED)
    places = {text: tiny_verifier.whole(tiny_verifier.whole(from_text(text)[1:])[2])[2] for text in (old, new)}
    assert len({*places.values()}) == 1  # the very same pass under another signature
    assert [(key["state"], key["passes"]) for key in told_of_keys(hub)] == [("retired", 1), ("signs", 1)]
    assert call(hub, "POST", "/v1/passes/revocations", {"pass": other}, bearer(hub)).json()["code"] == "pass_invalid"


def test_a_key_is_retired_by_two_operators_and_never_the_one_that_signs(hub: OpenHub) -> None:
    words = ("keys", "retire", "--pass", "1", "--operator")
    phrase = ("--confirm", PHRASE.format(1))
    assert command(hub, *words, "a.martin") == "pass_key_signs"
    command(hub, "keys", "rotate", "--pass")
    text = issued(hub, 1)["pass"]
    assert command(hub, *words, "a.martin", *phrase)["state"] == "asked"
    assert command(hub, *words, "A.Martin ", *phrase) == "destruction_refused"
    assert command(hub, *words, "b.durand") == "destruction_refused"
    assert command(hub, "keys", "retire", "--pass", "3", "--operator", "b.durand") == "pass_key_unknown"
    assert len(issuers(hub)) == 2
    done = {"version": 1, "state": "done", "phrase": PHRASE.format(1), "passes": 0}
    assert [command(hub, *words, operator, *phrase) for operator in ("b.durand", "c.petit")] == [done, done]
    assert command(hub, "keys", "retire", "--pass", "2", "--operator", "a.martin") == "pass_key_signs"
    assert checked(hub, 1, text).status_code == 200
    entries = [each for each in entries_in(hub.dir / "journal") if each.operation.startswith("pass_key")]
    assert [(each.operation, each.outcome, each.insurer) for each in entries] == [
        (Operation.PASS_KEY_RETIREMENT_ASKED, "pass 1, asked by a.martin", ""),
        (Operation.PASS_KEY_RETIRED, "pass 1, asked by a.martin, done by b.durand", ""),
    ]


@pytest.mark.parametrize("words", [("--all",), ("--insurer", AMC), ("--data",), ("--index",)])
def test_the_key_of_passes_is_rotated_alone(hub: OpenHub, words: tuple[str, ...]) -> None:
    assert command(hub, "keys", "rotate", "--pass", *words) == "rotate_what"
    assert len(issuers(hub)) == 1


def test_lists_are_kept_for_each_key_and_not_handed_out_for_one_retired_since(hub: OpenHub) -> None:
    async def calls(client: httpx.AsyncClient) -> None:
        await rotate_pass(hub)
        known = (await client.get("/passes/issuers.json")).json()["issuers"]
        for each in known:
            listed = await client.get(each["status"])
            assert read_list(listed.content, bytes.fromhex(each["public_key"])).key_id.hex() == each["key_id"]
        for operator in ("a.martin", "b.durand"):
            await retire(hub, 1, operator, PHRASE.format(1))
        answers = [await client.get(each["status"]) for each in known]
        assert [answer.status_code for answer in answers] == [404, 200]
        assert answers[0].json()["code"] == "not_found"

    played(hub, calls)


def test_a_process_that_has_not_heard_of_a_key_signs_nothing_anew_that_it_signed(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecluse.engines.keys.ring.LOOK_S", 60)
    with open_hub(hub.dir) as other:
        assert other.keys.pass_keys().newest.version == 1
        hub.run(rotate_pass(hub))
        text = issued(hub, 1)["pass"]
        assert issued(other, 1)["pass"] == text
    assert checked(hub, 1, text).status_code == 200


def test_a_ring_older_than_a_key_says_so_and_what_that_key_signed_is_issued_anew(hub: OpenHub, tmp_path: Path) -> None:
    command(hub, "keys", "backup", str(tmp_path / "copy"))
    command(hub, "keys", "rotate", "--pass")
    lost = issued(hub, 1)["pass"]
    command(hub, "keys", "restore", str(tmp_path / "copy"), "--replace")
    assert refused(checked(hub, 1, lost)) == REFUSED
    told = [(key["version"], key["state"], key["passes"]) for key in told_of_keys(hub)]
    assert told == [(0, "unknown", 1), (1, "signs", 0)]
    command(hub, "keys", "rotate", "--pass")  # version 2 again, and another key
    again = issued(hub, 1)["pass"]
    assert again != lost
    assert checked(hub, 1, again).status_code == 200
    assert [(key["state"], key["passes"]) for key in told_of_keys(hub)] == [("verifies", 0), ("signs", 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_processes_of_a_hub_whose_keys_are_elsewhere_hear_of_each_change(tmp_path: Path, engine: str) -> None:
    with site_with_keys_elsewhere(tmp_path, engine) as (site, _):
        site.load([{}])
        site.start(workers=2)
        insurer = site.token(f"amc:{AMC}", practice="", scope="feeds")

        def made(days: int) -> str:
            body = {"members": [{name: MEMBER[name] for name in NAMES[:3]}], "days": days}
            with site.client(insurer) as client:
                return str(client.post("/v1/passes", json=body).json()["passes"][0]["pass"])

        def taken_by_all(text: str) -> set[int]:
            asked = question(**{"pass": text})
            statuses = set()
            for _ in range(8):  # a connection each, so that both workers answer
                with site.client() as client:
                    statuses.add(client.post("/v1/rights/checks", json=asked).status_code)
            return statuses

        old = made(31)
        site.run("keys", "rotate", "--pass")
        time.sleep(LOOK_S + 0.1)
        new = made(30)
        assert [taken_by_all(text) for text in (old, new)] == [{200}, {200}]
        for operator in ("a.martin", "b.durand"):
            site.run("keys", "retire", "--pass", "1", "--operator", operator, "--confirm", PHRASE.format(1))
        time.sleep(LOOK_S + 0.1)
        assert [taken_by_all(text) for text in (old, new, made(31))] == [{422}, {200}, {200}]


def test_a_place_of_keys_that_does_not_answer_is_no_invalid_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as stack:
        with server(tmp_path / "bao") as running:
            (tmp_path / "bao.token").write_text(running.token)
            monkeypatch.setenv("ECLUSE_KEYS_URL", f"openbao:{running.url}?token-file={tmp_path / 'bao.token'}")
            hub = stack.enter_context(open_hub(make(tmp_path / "hub")))
        with pytest.raises(Refused, match="keys_unreachable"):
            scanned(hub, "TP1:ABC")


def test_killed_on_the_way_a_retirement_is_run_again(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.make()
    site.load([{}])
    people, passes = tmp_path / "people.csv", tmp_path / "passes.csv"
    people.write_text("member_number,nir,birth_date,birth_rank\n" + ",".join(MEMBER[name] for name in NAMES) + "\n")
    ring = site.directory / "keys" / "hub.keys"
    for version, after_s in enumerate((0.0, 0.002, 0.02), 1):
        site.json("keys", "rotate", "--pass")
        words = ("keys", "retire", "--pass", str(version), "--confirm", PHRASE.format(version), "--operator")
        site.run(*words, "a.martin")
        asked = ring.stat().st_ino
        process = subprocess.Popen([ECLUSE, *words, "b.durand"], env=site.environment, stdout=subprocess.DEVNULL)
        while ring.stat().st_ino == asked and process.poll() is None:
            time.sleep(0.0005)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        told = site.json("pass", "keys")["keys"]
        assert [key["state"] for key in told] == ["retired"] * version + ["signs"]  # refused from the first change on
        assert site.json(*words, "b.durand")["state"] == "done"
        assert site.json("pass", "keys")["keys"] == told
        site.run("pass", "issue", str(people), "--insurer", AMC, "--out", str(passes))
    assert site.run("journal", "verify", check=False).returncode == 0


NAMES = ("member_number", "nir", "birth_date", "birth_rank")
