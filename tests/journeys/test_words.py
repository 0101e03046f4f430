"""What is typed wrong is refused in one line, with its code and what to type instead; machines can read what is printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ecluse.doors.cli.main import complete
from tests.journeys.site import ECLUSE, Site

ONE_LINE = re.compile(r"[a-z_]+: .+ \(.+\)\n")
NOT_TEXT = "\udcff"  # the byte 255 of a command line, as Python has it
WINDOW = ("--from", "2026-11-30", "--to", "2026-11-30T10:00:00Z")
# What is typed, the code, and a word of what it says to do.
TYPED = [
    (("serve", "--port", "99999"), "address_invalid", "--port"),
    (("serve", "--port", "-1"), "address_invalid", "--port"),
    (("serve", "--port", "22222222222222222222"), "address_invalid", "--port"),
    (("serve", "--host", "nowhere.invalid"), "address_invalid", "--host"),
    (("serve", "--host", "192.0.2.1"), "address_invalid", "--host"),
    (("serve", "--host", "x" * 70), "address_invalid", "--host"),
    (("init", "/proc/x"), "directory_unwritable", "make files"),
    (("init", "/dev/null"), "directory_unwritable", "make files"),
    (("init", "/dev/null/x"), "directory_unwritable", "make files"),
    (("init", f"/tmp/{'x' * 300}"), "directory_unwritable", "make files"),
    (("demo", "--out", "/dev/null"), "directory_unwritable", "make files"),
    (("demo", "--out", "/proc/x"), "directory_unwritable", "make files"),
    (("feed", "show", NOT_TEXT), "usage_invalid", "UTF-8"),
    (("exposure", "--account", NOT_TEXT, *WINDOW), "usage_invalid", "UTF-8"),
    (("init", f"/tmp/{NOT_TEXT}"), "usage_invalid", "UTF-8"),
    (("serve", "--port", "x"), "usage_invalid", "ecluse serve --help"),
    (("serve", "--workers", "0"), "usage_invalid", "ecluse serve --help"),
    (("dev", "token"), "usage_invalid", "ecluse dev token --help"),
    (("unheard-of",), "usage_invalid", "ecluse --help"),
    (("feed", "unheard-of"), "usage_invalid", "ecluse feed --help"),
    (("feed",), "usage_invalid", "ecluse feed --help"),
    ((), "usage_invalid", "ecluse --help"),
    (("demo", "--people", "0"), "usage_invalid", "ecluse demo --help"),
    (("feed", "load", "f.csv", "--insurer", "0075123456", "--full", "--delta"), "usage_invalid", "feed load --help"),
    (("feed", "show", "x"), "not_found", "identifier"),
]
SERVERS = "a server: it prints no result, and logs in JSON"
WITHOUT_JSON = {"serve": SERVERS, "witness serve": SERVERS}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("words") / "hub")
    made.make()
    return made


@pytest.mark.parametrize(("words", "code", "fix"), TYPED, ids=lambda each: ascii(" ".join(each))[:40] if each else "")
def test_what_is_typed_wrong_is_refused_in_one_line(site: Site, words: tuple[str, ...], code: str, fix: str) -> None:
    """Also on a hub whose keys are for development only: that is said of what is done, and not before a refusal."""
    done = site.run(*words, check=False)
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, code), done.stderr
    assert ONE_LINE.fullmatch(done.stderr)
    assert fix in done.stderr


@pytest.mark.parametrize(("level", "words"), [("1", ("doctor",)), ("1", ("serve",)), ("2", ("--version",))])
def test_without_assertions_nothing_is_done(site: Site, level: str, words: tuple[str, ...]) -> None:
    """From nothing, as a shell starts it: who guards money is there from the interpreter's start on, or never."""
    environment = {**site.environment, "PYTHONOPTIMIZE": level}
    done = subprocess.run([ECLUSE, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.partition(":")[0]) == (2, "", "assertions_off")
    assert ONE_LINE.fullmatch(done.stderr)


def test_help_is_help(site: Site) -> None:
    for words in (("--help",), ("feed", "--help"), ("feed", "load", "--help"), ("--version",)):
        done = site.run(*words)
        assert (bool(done.stdout), done.stderr) == (True, "")


def test_that_it_is_for_development_only_is_said_before_a_server_answers(site: Site) -> None:
    site.start()
    try:
        shouted, answers = site.log.read_text().splitlines()[:2]
    finally:
        site.stop()
    assert shouted.startswith("DevelopmentOnly: ")
    assert "answers on http://" in answers


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Every command that can be typed, and its options."""
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*path, name))
    if not hasattr(command, "commands") or (path and command.invoke_without_command):
        yield " ".join(path), {option for each in command.params for option in each.opts}


def test_every_command_that_prints_takes_json() -> None:
    found = dict(commands(typer.main.get_command(complete())))
    assert len(found) > 100
    assert {name for name, options in found.items() if "--json" not in options} == {*WITHOUT_JSON}


def test_what_they_print_then_is_json(site: Site, tmp_path: Path) -> None:
    site.run("dev", "token", "--account", "rpps:10000000001")
    vkey, place = site.json("journal", "key")["key"], str(tmp_path / "witness")
    notes = site.run("journal", "checkpoint").stdout
    assert all(each["checkpoint"] in notes for each in site.json("journal", "checkpoint")["shards"])
    assert site.json("product", "schema") == json.loads(site.run("product", "schema").stdout)
    assert site.json("portal", "key") == json.loads(site.run("portal", "key").stdout)
    site.run("witness", "init", place, "--name", "witness.example")
    assert site.json("witness", "trust", place, vkey) == {"trusted": vkey}
