"""What is typed wrong is refused in one line, with its code and what to type instead; machines can read what is printed."""

from __future__ import annotations

import re

import pytest

from tests.journeys.site import Site

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
