"""kill -9 of the server at random moments of a feed, a payment run, claims: the command is run again, and every law holds."""

from __future__ import annotations

import random
import subprocess
import time

import pytest

from tests.faults.conftest import Faulty
from tests.faults.traffic import PEOPLE, asked, people
from tests.journeys.site import AMC, ECLUSE, HEADER, MEMBER, today

MANY = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 140)]
GOOD = {"claims": (1, *MANY), "feeds": MANY, "runs": (1, *MANY)}


def killed_during(faulty: Faulty, words: list[str], after_s: float) -> int:
    """Run a command, kill the server meanwhile, start it again; the command's exit code."""
    command = subprocess.Popen(
        [ECLUSE, *words], env=faulty.site.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after_s)
    faulty.server.kill()
    faulty.server.start()
    _, said = command.communicate(timeout=60)
    assert command.returncode in (0, 2), said  # refused in words, never a bug
    return command.returncode


@pytest.mark.parametrize("seed", GOOD["claims"])
def test_killed_under_claims(faulty: Faulty, seed: int) -> None:
    wait_s = random.Random(seed)
    with faulty.traffic().running() as told:
        for _ in range(3):
            time.sleep(wait_s.uniform(0.1, 0.8))
            faulty.server.kill()
            faulty.server.start()
        time.sleep(0.3)
    assert told.codes() <= {"database_unavailable"}
    faulty.hold()


@pytest.mark.parametrize("seed", GOOD["feeds"])
def test_killed_in_a_feed(faulty: Faulty, seed: int) -> None:
    """The rights that answer are all of the old file or all of the new one: here, one in which everybody has another code."""
    wait_s, csr = random.Random(seed), f"{seed % 9000 + 1000:04d}"
    rows = [{**MEMBER, **each, "csr": csr} for each in people()]
    rows += [{**rows[n % PEOPLE], "member_number": f"X{n}", "birth_date": "1950-01-01", "nir": rows[0]["nir"],
              "birth_rank": str(n % 9 + 1), "contract": f"D{n}", "valid_from": f"{1960 + n // 9 % 60}-01-01",
              "valid_to": f"{1960 + n // 9 % 60}-12-31"} for n in range(540)]  # fmt: skip
    file = faulty.site.directory.parent / f"feed-{seed}.csv"
    file.write_text("\n".join([HEADER, *(",".join(each.values()) for each in rows)]) + "\n", encoding="utf-8")
    words = ["feed", "load", str(file), "--insurer", AMC, "--full"]
    before = codes(faulty)
    for _ in range(2):
        killed_during(faulty, words, wait_s.uniform(0.8, 3.0))
        assert len(codes(faulty)) == 1
        assert codes(faulty) in (before, {csr})
    done = faulty.site.json(*words)
    assert (done["state"], done["counts"]["refused_rows"]) == ("loaded", 0)
    assert codes(faulty) == {csr}
    assert (
        faulty.last(f"SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'rights\\_{AMC}\\_%'") == "1"
    )
    faulty.hold()


def codes(faulty: Faulty) -> set[str]:
    """The code that checks of everybody tell now."""
    with faulty.site.client() as client:
        told = []
        for n in range(PEOPLE):
            answer = client.post("/v1/rights/checks", json=asked(n))
            until_s = time.monotonic() + 10
            while answer.status_code == 503 and time.monotonic() < until_s:
                time.sleep(0.02)
                answer = client.post("/v1/rights/checks", json=asked(n))
            told.append(answer.json()["csr"])
    return set(told)


@pytest.mark.parametrize("seed", GOOD["runs"])
def test_killed_in_a_payment_run(faulty: Faulty, seed: int) -> None:
    """Killed twice, then run to its end: each claim is paid once, and the files hold what was ordered, once."""
    wait_s = random.Random(seed)
    with faulty.traffic().running(checkers=0, billers=3):
        time.sleep(0.5)
    for _ in range(2):
        killed_during(faulty, ["pay", "run", "--date", today()], wait_s.uniform(0.6, 1.8))
    faulty.site.json("pay", "run", "--date", today())
    faulty.hold()
    assert faulty.last("SELECT count(*) FROM claim WHERE state = 'accepted'") == "0"
    assert faulty.last("SELECT count(*) FROM pay_run WHERE state <> 'written'") == "0"
    ordered = faulty.last("SELECT sum(amount_cents) FROM remittance")
    files = (faulty.site.directory / "out" / "payments").rglob("*.pain.001.xml")
    paid = [text.partition("</InstdAmt>")[0] for file in files for text in file.read_text().split('Ccy="EUR">')[1:]]
    assert sum(int(each.replace(".", "")) for each in paid) == int(ordered)
