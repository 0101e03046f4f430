"""The systemd units are units, keep the hub to its own directory, and give it the time it takes to stop."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from ecluse.doors.cli import serve
from ecluse.doors.http import server

UNITS = Path(__file__).parents[2] / "examples" / "systemd"
NAMES = sorted(path.name for path in UNITS.iterdir())


def values(name: str) -> dict[str, list[str]]:
    """Every key of a unit with its values; systemd lets a key come twice."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (UNITS / name).read_text(), re.M):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.parametrize("name", NAMES)
def test_systemd_reads_every_unit(name: str, tmp_path: Path) -> None:
    for each in NAMES:  # the command must be there for the unit to be right
        text = (UNITS / each).read_text().replace("/opt/ecluse/.venv/bin/ecluse", "/bin/true")
        (tmp_path / each).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".service")])
def test_a_service_is_kept_to_its_own_directory(name: str) -> None:
    unit = values(name)
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["ReadWritePaths"] == ["/srv/ecluse"]
    assert (unit["NoNewPrivileges"], unit["CapabilityBoundingSet"]) == (["yes"], [""])
    assert any(each.startswith("passphrase:") for each in unit["LoadCredential"])


def test_a_payment_run_reaches_what_the_hub_reaches() -> None:
    """PostgreSQL and a key server may be on other machines: without them nobody is paid."""
    hub, pay = values("ecluse.service"), values("ecluse-pay.service")
    assert pay["RestrictAddressFamilies"] == hub["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]
    assert not {"PrivateNetwork", "IPAddressDeny"} & {*hub, *pay}


def test_systemd_waits_longer_than_a_stop_takes() -> None:
    unit = values("ecluse.service")
    drain_s = next(int(each.rpartition("=")[2]) for each in unit["Environment"] if "DRAIN_S" in each)
    assert int(unit["TimeoutStopSec"][0]) > drain_s + serve.STOP_S
    assert serve.STOP_S > server.LAST_CALL_S + server.STOP_S
    assert (unit["Type"], unit["KillMode"], unit["Restart"]) == (["notify"], ["mixed"], ["on-failure"])


def test_the_timer_fires() -> None:
    timer = ConfigParser()
    timer.optionxform = str  # type: ignore[assignment, method-assign]
    timer.read(UNITS / "ecluse-pay.timer")
    assert timer["Timer"]["Persistent"] == "true"
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "calendar", timer["Timer"]["OnCalendar"]]
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0
