"""An emergency stop stops what it names, however it is written, or says that it does not: the hub asked over HTTP meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.site import DOCTOR, Site, question

WHO = ("--operator", "a.martin", "--reason", "vol signalé")
OTHER = ("--operator", "b.durand", "--reason", "vu")
# A name that somebody types, the step, and what a question is told then; empty where the name is refused.
TYPED = [
    ("RPPS:10000000001", "quarantined", "account_quarantined"),
    (" rpps:1000 0000 001", "quarantined", "account_quarantined"),
    ("10000000001", "quarantined", ""),
    ("rpps:1000000000", "quarantined", ""),
    ("insurer:0075 123456", "closed", "questions_closed"),
    ("insurer:75123456", "closed", "questions_closed"),
    ("domain:med", "closed", "questions_closed"),
    ("department:037", "closed", "questions_closed"),
    ("department:Indre-et-Loire", "closed", ""),
    ("network:127.0.0.1", "closed", "questions_closed"),
    ("network:127.0.0.0/8", "closed", ""),
]


@pytest.fixture
def site(tmp_path: Path) -> Any:
    made = Site(tmp_path / "hub")
    made.make()
    made.load([{}])
    made.start()
    yield made
    made.stop()


def said(site: Site, token: str) -> str:
    told = httpx.post(
        f"{site.url}/v1/rights/checks", headers={"authorization": f"Bearer {token}"}, json=question(), timeout=30
    ).json()
    return str(told.get("code") or told["outcome"])


def test_what_is_named_is_stopped_or_refused(site: Site) -> None:
    token = site.token()
    assert said(site, token) == "confirmed"
    for name, step, code in TYPED:
        done = site.run("gate", "contain", name, step, *WHO, check=False)
        assert (done.returncode, "contained_unknown" in done.stderr) == ((0, False) if code else (2, True)), name
        assert said(site, token) == (code or "confirmed"), name
        if code:
            for who in (WHO, OTHER):
                site.run("gate", "release", name, "open", *who)
    assert json.loads(site.run("gate", "show", "--json").stdout) == []


def test_lost_reset_and_sessions_read_names_alike(site: Site) -> None:
    token = site.token()
    assert said(site, token) == "confirmed"
    for name in ("10000000001", "domain:MED"):
        for command in (("lost", name), ("reset", name), ("sessions", name, "--end"), ("look", name)):
            done = site.run("gate", *command, *(WHO if command[0] != "look" else ()), check=False)
            assert (done.returncode, "contained_unknown" in done.stderr) == (2, True), command
    assert f"{DOCTOR}: 0 session(s) ended" in site.run("gate", "sessions", "RPPS:10000000001", "--end", *WHO).stdout
    done = site.run("gate", "lost", " Rpps:10000000001", *WHO)
    assert (done.stdout, "never met" in done.stderr) == (f"{DOCTOR}: quarantined\n", False)
    assert said(site, token) == "account_quarantined"


def test_whom_the_hub_never_met_is_stopped_with_a_warning(site: Site) -> None:
    stranger = "rpps:10000000099"
    for name, step in (
        (stranger, "quarantined"),
        ("vendor:nobody-s", "closed"),
        ("insurer:0075999999", "closed"),
        ("account:f:1:alice", "quarantined"),
    ):
        done = site.run("gate", "contain", name, step, *WHO)
        assert f"warning: this hub never met {name.removeprefix('account:')}" in done.stderr
        assert json.loads(site.run("gate", "contain", name, step, *WHO, "--json").stdout)["never_met"] is True
    assert said(site, site.token(stranger)) == "account_quarantined"
    assert said(site, site.token("f:1:alice")) == "account_quarantined"
    assert site.run("gate", "show").stderr.count("never met") == 4
    assert "never met" in site.run("gate", "sessions", "rpps:10000000098", "--end", *WHO).stderr
    told = [each for each in entries_in(site.directory / "journal") if each.operation is Operation.CONTAINED]
    assert len(told) == 8


def test_an_account_of_whatever_form_is_named_as_it_asked(site: Site) -> None:
    """What its issuer calls it holds, once it came: no form that we know is read into it."""
    token = site.token("RPPS:10000000001")
    assert said(site, token) == "confirmed"
    assert "never met" not in site.run("gate", "contain", "RPPS:10000000001", "quarantined", *WHO).stderr
    assert said(site, token) == "account_quarantined"
    assert said(site, site.token()) == "confirmed"
