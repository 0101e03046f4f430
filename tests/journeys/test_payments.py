"""The command line pays, is killed at any moment, pays again: every claim is paid once, and the files are those of the run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from ecluse.engines.sql.ledger import book
from ecluse.payments.ledger import accepted
from ecluse.wiring import init_hub
from tests.stores import EMBEDDED, Books, chosen, now

OWN = "FR7630006000011234567890189"
INSURER = "0075000001"
PLACES = 40
CLAIMS = 400
PAY = "from ecluse.doors.cli.pay import app; app()"
DIRECTORY = "from ecluse.doors.cli.directory import {}; {}()"
DAY = "2026-11-01"

pytestmark = pytest.mark.filterwarnings("ignore")


def command(code: str, *words: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-c", code, *words]


def ecluse(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(code, *words), capture_output=True, text=True, timeout=60)


def place_number(n: int) -> str:
    from stdnum import luhn

    return f"75{n:06d}" + luhn.calc_check_digit(f"75{n:06d}")


@pytest.fixture
def hub_dir(tmp_path: Path, store_url: str) -> Path:
    hub = tmp_path / "hub"
    init_hub(hub)
    settings = hub / "ecluse.toml"
    settings.write_text(settings.read_text().replace('iban = ""', f'iban = "{OWN}"', 1))
    practices = "".join(f"{place_number(n)},Cabinet {n},{OWN},\n" for n in range(PLACES))
    (tmp_path / "practices.csv").write_text("practice,name,iban,bic\n" + practices)
    (tmp_path / "insurers.csv").write_text(f"insurer,name,iban,mandate,mandate_signed_on\n{INSURER},Mut,{OWN},,\n")
    for kind in ("practices", "insurers"):
        loaded = ecluse(DIRECTORY.format(kind, kind), "load", str(tmp_path / f"{kind}.csv"), "--dir", str(hub))
        assert loaded.returncode == 0, loaded.stderr
    fill(hub)
    return hub


def fill(hub_dir: Path) -> None:
    rows = [(f"clm_{n:020d}", place_number(n % PLACES), f"F{n}", INSURER, 100 + n, DAY) for n in range(CLAIMS)]
    add = (
        "INSERT INTO claim (id, practice, invoice, insurer, amc_cents, received_on, body, person, state, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?)"
    )
    books = Books(chosen(), hub_dir)
    for row in rows:
        books.change(add, *row, b"", b"", b"")
    entries = [accepted(row[0], row[3], row[1], row[4]) for row in rows]
    now(books.database.write(lambda tx: book(tx, entries, 0)))
    now(books.close())


def files(hub_dir: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(hub_dir)): path.read_bytes()
        for path in sorted((hub_dir / "out").rglob("*"))
        if path.is_file()
    }


def check_paid_once(hub_dir: Path) -> None:
    books = Books(chosen(), hub_dir)
    owed = sum(100 + n for n in range(CLAIMS))
    assert books.one("SELECT count(*), sum(amount_cents) FROM remittance_line") == (CLAIMS, owed)
    assert books.one("SELECT count(*), min(state), max(state) FROM claim") == (CLAIMS, "ordered", "ordered")
    assert books.one("SELECT sum(amount_cents) FROM posting WHERE account = 'transit'") == (-owed,)
    assert books.one("SELECT sum(amount_cents) FROM posting") == (0,)
    now(books.close())
    found = files(hub_dir)
    bank = [content for name, content in found.items() if name.endswith(".xml")]
    amounts = [Decimal(one.text) for document in bank for one in etree.fromstring(document).iter("{*}InstdAmt")]
    assert (len(amounts), sum(amounts) * 100) == (PLACES, owed)
    assert sum(name.startswith("out/remittances/") for name in found) == PLACES


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_then_run_again(hub_dir: Path, seed: int) -> None:
    drawn = random.Random(seed)
    run = command(PAY, "run", "--date", DAY, "--dir", str(hub_dir), "--json")
    for _ in range(2):
        child = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for_the_middle(hub_dir, child, drawn)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    check_paid_once(hub_dir)
    before = files(hub_dir)
    assert not [name for name in before if name.endswith(".part")]
    again = ecluse(PAY, "files", f"run_{DAY}_1", "--dir", str(hub_dir))
    assert (again.returncode, files(hub_dir)) == (0, before)


def wait_for_the_middle(hub_dir: Path, child: subprocess.Popen[bytes], drawn: random.Random) -> None:
    """Until the database is open, or until the run is committed, then a drawn while: before, inside or among the files."""
    if chosen() != EMBEDDED:  # nothing to look at: any moment of a run, which takes about a second
        time.sleep(0.4 + drawn.random())
        return
    log, deadline = hub_dir / "hub.db-wal", time.monotonic() + 20
    committed = drawn.random() < 0.5
    while child.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):  # gone with the last process that had it open
            if log.stat().st_size or not committed:
                break
        time.sleep(0.001)
    time.sleep(drawn.random() * (0.08 if committed else 0.4))


def test_the_words_of_the_command_line(hub_dir: Path, tmp_path: Path) -> None:
    here = ("--dir", str(hub_dir))
    done = ecluse(PAY, "run", "--date", DAY, *here)
    assert (done.returncode, f"{PLACES} transfers, {CLAIMS} claims" in done.stdout) == (0, True), done.stderr
    assert "Nothing new to pay. Runs of that day: run_2026-11-01_1" in ecluse(PAY, "run", "--date", DAY, *here).stdout
    assert ecluse(PAY, "list", *here).returncode == 0
    (remittance, *_) = [name for name in files(hub_dir) if "/remittances/" in name]
    shown = ecluse(PAY, "show", Path(remittance).stem, *here)
    assert "Avis de règlement" in shown.stdout
    changed = (tmp_path / "practices.csv").read_text().replace(OWN, "FR1420041010050500013M02606", 1)
    (tmp_path / "changed.csv").write_text(changed)
    refused = ecluse(DIRECTORY.format("practices", "practices"), "load", str(tmp_path / "changed.csv"), *here)
    assert (refused.returncode, "iban_changed" in refused.stderr) == (2, True)
    assert OWN not in refused.stderr + refused.stdout
