"""The memory of proofs: shared by processes, bounded, begun anew with the machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.engines import proofs
from ecluse.engines.proofs import SLOTS, SharedProofs
from ecluse.gate.dpop import AGE_S_MAX, NONCE_S, Proof
from ecluse.kernel.errors import Refused

NOW = 1_800_000_000
JKT = "j" * 43
ASKING = """
import sys
from pathlib import Path
from ecluse.engines.proofs import SharedProofs
from ecluse.gate.dpop import Proof
kept = SharedProofs(Path(sys.argv[1]))
print(sum(kept.first(Proof("j" * 43, f"jti-{n}", 1_800_000_000, ""), 1_800_000_000) for n in range(2000)), flush=True)
if sys.argv[2:]:
    kept._alone(0, 1 << 30).__enter__()
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[SharedProofs]:
    opened = SharedProofs(tmp_path)
    yield opened
    opened.close()


def proof(jti: str, iat_ts: int = NOW, jkt: str = JKT) -> Proof:
    return Proof(jkt, jti, iat_ts, "")


def test_a_proof_is_new_once(kept: SharedProofs) -> None:
    assert kept.first(proof("1"), NOW)
    assert not kept.first(proof("1"), NOW)
    assert not kept.first(proof("1", NOW + 5), NOW + 5)  # the same name under another time
    assert kept.first(proof("1", jkt="k" * 43), NOW)
    assert kept.first(proof("2"), NOW)


def test_processes_share_it_and_each_proof_is_new_in_one_of_them(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ASKING, str(tmp_path)]
    asking = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(each.communicate(timeout=60)[0]) for each in asking) == 2000


def test_a_process_killed_with_a_lock_holds_nobody_up(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ASKING, str(tmp_path), "lock"]
    asking = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert asking.stdout
    assert [asking.stdout.readline() for _ in "12"] == [b"2000\n", b"locked\n"]
    asking.kill()
    asking.wait()
    after = SharedProofs(tmp_path)
    assert not after.first(proof("jti-1"), NOW)
    assert after.first(proof("another"), NOW)
    after.close()


def test_after_a_start_of_the_machine_it_begins_anew_and_says_since_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = SharedProofs(tmp_path)
    assert before.first(proof("1"), NOW)
    secrets, since_ts = before.secrets(NOW), before.since_ts
    before.close()
    again = SharedProofs(tmp_path)
    assert (again.secrets(NOW), again.since_ts) == (secrets, since_ts)
    assert not again.first(proof("1"), NOW)
    again.close()
    boot = tmp_path / "boot_id"
    boot.write_text("another boot of the machine's")
    monkeypatch.setattr(proofs, "BOOT", boot)
    anew = SharedProofs(tmp_path)
    assert anew.first(proof("1"), NOW)
    assert anew.since_ts >= since_ts
    assert anew.secrets(NOW) != secrets
    anew.close()


@pytest.mark.parametrize("content", [b"", b"half", b"\0" * 4096, b"x" * 100_000])
def test_a_file_of_another_shape_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / proofs.FILE).write_bytes(content)
    opened = SharedProofs(tmp_path)
    assert opened.first(proof("1"), NOW)
    assert not opened.first(proof("1"), NOW)
    opened.close()


def test_when_it_is_full_nothing_is_taken_until_the_oldest_are_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "BUCKETS", 1)
    small = SharedProofs(tmp_path)
    assert all(small.first(proof(f"{n}", NOW + n), NOW + n) for n in range(SLOTS))
    with pytest.raises(Refused, match="proofs_full"):
        small.first(proof("one more", NOW + SLOTS), NOW + SLOTS)
    assert not small.first(proof("0"), NOW + SLOTS)
    assert small.first(proof("one more", NOW + AGE_S_MAX + 1), NOW + AGE_S_MAX + 1)
    assert not small.first(proof("1", NOW + 1), NOW + AGE_S_MAX + 1)
    small.close()


def test_secrets_change_with_each_period_and_the_last_one_stays(kept: SharedProofs, tmp_path: Path) -> None:
    first, second = kept.secrets(NOW), kept.secrets(NOW + NONCE_S)
    assert second.previous == first.current
    assert len({first.previous, first.current, second.current}) == 3
    other = SharedProofs(tmp_path)
    assert other.secrets(NOW + NONCE_S) == second
    later = other.secrets(NOW + 5 * NONCE_S)
    assert not {later.current, later.previous} & {first.current, second.current}
    assert kept.secrets(NOW + 5 * NONCE_S) == later
    other.close()


def test_nobody_else_reads_it(kept: SharedProofs, tmp_path: Path) -> None:
    assert (tmp_path / proofs.FILE).stat().st_mode & 0o777 == 0o600
