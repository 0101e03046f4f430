"""A bug is told by its kind and its places: nothing of whom it was about gets into a log or onto a screen, locals included."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.site import MEMBER, Site, question

NIR = "279067505612357"

# A command whose bug has the NIR in a local variable and in its message, added the way packages add theirs.
COMMAND = f"""
import sys
from types import SimpleNamespace
from ecluse.doors.cli import main
def broken():
    asked = {{"nir": "{NIR}"}}
    nir = asked["nir"]
    {{}}[nir]
def add_to(app):
    app.command("broken")(broken)
main.entry_points = lambda group: [SimpleNamespace(load=lambda: add_to)]
sys.argv = ["ecluse", "broken"]
main.run()
"""
# The same in each place where another's code, not ours, tells of it.
LOGGED = f"""
import asyncio, gc, logging, sys
from ecluse.doors.log import bugs_told, configure
configure("debug", "w0")
def fail(nir):
    raise KeyError(nir)
async def task():
    fail("{NIR}")
async def never_asked():
    asyncio.create_task(task())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(fail, "{NIR}")
    await asyncio.sleep(0.01)
asyncio.run(never_asked())
gc.collect()
try:
    fail("{NIR}")
except KeyError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application: {NIR}")
with bugs_told():
    fail("{NIR}")
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hub with one member."""
    made = Site(tmp_path / "hub")
    made.make()
    made.load([{}])
    return made


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_in_an_answer_names_nobody(site: Site, workers: int) -> None:
    site.start(workers)
    with closing(sqlite3.connect(site.directory / "hub.db")) as books, books:
        books.execute("ALTER TABLE insurer RENAME TO gone")
    with site.client() as client:
        reply = client.post("/v1/rights/checks", json=question())
    site.stop()
    assert (reply.status_code, reply.json()["code"]) == (500, "broken"), reply.text
    assert any(line.get("bug") and line["at"] for line in site.lines())
    said = site.log.read_text()
    assert not [each for each in (NIR, MEMBER["birth_date"], "Traceback", "no such table") if each in said]


def run(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False)


def test_a_bug_in_a_command_names_nobody() -> None:
    done = run(COMMAND)
    assert (done.returncode, done.stdout) == (1, "")
    assert "bug: KeyError" in done.stderr
    assert "in broken" in done.stderr or " broken" in done.stderr  # where it happened
    assert NIR not in done.stderr
    assert NIR in run(COMMAND, "-X", "dev").stderr  # a developer asks for it


def test_what_libraries_say_of_a_bug_names_nobody() -> None:
    done = run(LOGGED)
    assert (done.returncode, done.stderr.count('"bug":"KeyError"')) == (1, 4), done.stderr
    assert NIR not in done.stderr + done.stdout


def test_a_path_that_cannot_be_is_no_bug(site: Site, tmp_path: Path) -> None:
    """A file where a folder should be, and the other way round."""
    there = tmp_path / "there"
    there.write_text("")
    for path in (there, there / "below"):
        done = site.run("backup", str(path), check=False)
        assert (done.returncode, done.stderr.split(":")[0]) == (2, "path_refused"), done.stderr
        assert str(there) in done.stderr
