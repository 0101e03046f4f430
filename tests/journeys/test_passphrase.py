"""`ecluse keys passphrase`: the old one is asked, the file is the old one or the new one, and the hub goes on with its keys."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from ecluse.engines.keys.file import KeyFile, _Passphrase
from tests.journeys.site import ECLUSE, Site, question

OLD, NEW = "écluse du Sanitas, bief neuf", "quatre bateaux, onze portes"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A sealed hub with one member."""
    made = Site(tmp_path / "hub", ECLUSE_KEYS_PASSPHRASE=OLD)
    made.make()
    made.load([{}])
    return made


def change(site: Site, old: str, new: str) -> tuple[int, str]:
    done = site.run("keys", "passphrase", stdin=f"{old}\n{new}\n", check=False)
    assert OLD not in done.stdout + done.stderr
    assert NEW not in done.stdout + done.stderr
    return done.returncode, done.stderr


def opens(site: Site, passphrase: str) -> bool:
    site.environment["ECLUSE_KEYS_PASSPHRASE"] = passphrase
    done = site.run("keys", "show", "--json", check=False)
    assert done.returncode == 0 or "keys_locked" in done.stderr, done.stderr
    return done.returncode == 0


def test_a_passphrase_is_changed(site: Site) -> None:
    before = site.json("keys", "show")
    assert change(site, OLD, NEW) == (0, "")
    assert (opens(site, OLD), opens(site, NEW)) == (False, True)
    assert site.json("keys", "show") == before
    assert (site.directory / "keys" / "hub.keys").stat().st_mode & 0o777 == 0o600
    site.start()
    with site.client() as client:
        assert client.post("/v1/rights/checks", json=question()).json()["outcome"] == "confirmed"
    site.stop()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("another", NEW, "keys_locked"), (OLD, "short", "passphrase_short"), ("", NEW, "keys_locked")],
)
def test_what_cannot_be_changed_is_left(site: Site, old: str, new: str, code: str) -> None:
    file = site.directory / "keys" / "hub.keys"
    before = file.read_bytes()
    returned, said = change(site, old, new)
    assert (returned, code in said, file.read_bytes() == before) == (2, True, True)


def test_keys_that_were_not_sealed_are_sealed(tmp_path: Path) -> None:
    """As the refusals say to do it, one after the other."""
    site = Site(tmp_path / "hub")
    site.make()
    production = {"ECLUSE_HUB_MODE": "production"}
    said = Site(site.directory, **production).run("pay", "list", check=False).stderr
    assert "keys_unsealed: " in said
    assert "`ecluse keys passphrase`" in said
    said = Site(site.directory, **production, ECLUSE_KEYS_PASSPHRASE=NEW).run("pay", "list", check=False).stderr
    assert "keys_locked: " in said
    assert "`ecluse keys passphrase`" in said
    alone = site.run("keys", "passphrase", stdin=f"{NEW}\n", check=False)
    assert (alone.returncode, "passphrases_two: " in alone.stderr) == (2, True)
    assert "empty where the file is not sealed" in alone.stderr
    assert change(site, "", NEW)[0] == 0
    assert (opens(site, ""), opens(site, NEW)) == (False, True)


@pytest.mark.parametrize("given", [{"ECLUSE_KEYS_PASSPHRASE": "x"}, {"ECLUSE_KEYS_PASSPHRASE_FILE": "../passphrase"}])
def test_no_hub_is_made_with_a_short_passphrase(tmp_path: Path, given: dict[str, str]) -> None:
    (tmp_path / "passphrase").write_text("quinze lettres.\n")
    site = Site(tmp_path / "hub", **given)
    done = site.run("init", check=False)
    assert (done.returncode, "passphrase_short: " in done.stderr) == (2, True)
    assert not site.directory.exists()  # the next try makes it whole
    (tmp_path / "passphrase").write_text(NEW)
    site.environment["ECLUSE_KEYS_PASSPHRASE"] = NEW
    site.run("init")
    assert (site.directory / "ecluse.toml").exists()


def test_no_hub_is_made_half(tmp_path: Path) -> None:
    for given, code in (
        ({"ECLUSE_HUB_MODE": "production"}, "keys_unsealed: "),
        ({"ECLUSE_KEYS_PASSPHRASE_FILE": "nowhere"}, "settings_invalid: keys.passphrase_file"),
    ):
        done = Site(tmp_path / "hub", **given).run("init", check=False)
        assert (done.returncode, code in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "hub").exists()


def test_a_file_once_sealed_with_a_short_passphrase_opens_and_is_sealed_with_a_long_one(site: Site) -> None:
    file = site.directory / "keys" / "hub.keys"
    KeyFile(file, OLD).rewrap(_Passphrase("x"))  # as versions of before made it
    assert opens(site, "x")
    assert change(site, "x", NEW)[0] == 0
    assert opens(site, NEW)


def test_killed_at_any_moment_it_opens_with_one_of_both(site: Site) -> None:
    passphrase, other = OLD, NEW
    for n in range(6):
        running = subprocess.Popen([ECLUSE, "keys", "passphrase"], stdin=subprocess.PIPE, env=site.environment)
        assert running.stdin is not None
        running.stdin.write(f"{passphrase}\n{other}\n".encode())
        running.stdin.close()
        time.sleep(0.2 + 0.25 * n)
        running.send_signal(signal.SIGKILL)
        running.wait()
        is_changed = opens(site, other)
        assert is_changed or opens(site, passphrase)
        if is_changed:
            passphrase, other = other, passphrase


def test_a_token_has_no_passphrase(site: Site) -> None:
    site.environment["ECLUSE_KEYS_URL"] = "openbao:http://127.0.0.1:1?mount=transit&token-file=token"
    returned, said = change(site, OLD, NEW)
    assert (returned, "passphrase_none" in said) == (2, True)
