"""The contract of the `Keys` port, for every engine; today the sealed key file, with and without a passphrase."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.ports import HUB
from ecluse.engines.keys_file import DevelopmentOnly, KeyFile, open_keys
from ecluse.kernel.errors import Refused

AMC = "0075123456"
OTHER = "0075999999"


@pytest.fixture(params=["", "a long passphrase"], ids=["plain", "sealed"])
def passphrase(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def keys(tmp_path: Path, passphrase: str) -> KeyFile:
    made = KeyFile(tmp_path / "hub.keys", passphrase)
    made.create(HUB)
    made.create(AMC)
    made.create(OTHER)
    return made


def test_what_was_sealed_opens_again_also_after_a_restart(keys: KeyFile, tmp_path: Path, passphrase: str) -> None:
    sealed = keys.seal(AMC, b"rights", b"person 1")
    assert keys.open(AMC, sealed, b"person 1") == b"rights"
    assert KeyFile(tmp_path / "hub.keys", passphrase).open(AMC, sealed, b"person 1") == b"rights"


@pytest.mark.parametrize(
    ("scope", "about", "spoil"),
    [
        (OTHER, b"person 1", None),
        (AMC, b"person 2", None),
        (AMC, b"person 1", 0),
        (AMC, b"person 1", 5),
        (AMC, b"person 1", -1),
    ],
    ids=["another insurer", "another person", "another key", "another nonce", "a flipped bit"],
)
def test_what_was_sealed_opens_for_nobody_else(keys: KeyFile, scope: str, about: bytes, spoil: int | None) -> None:
    sealed = bytearray(keys.seal(AMC, b"rights", b"person 1"))
    if spoil is not None:
        sealed[spoil] ^= 1
    with pytest.raises(Refused, match="seal_broken"):
        keys.open(scope, bytes(sealed), about)


def test_the_same_plain_text_never_seals_to_the_same_bytes(keys: KeyFile) -> None:
    assert len({keys.seal(AMC, b"same", b"") for _ in range(100)}) == 100


def test_a_pseudonym_is_stable_and_each_insurers_own(keys: KeyFile, tmp_path: Path, passphrase: str) -> None:
    mine = keys.pseudonym(AMC, b"nir|1|2|3")
    assert len(mine) == 16
    assert mine == KeyFile(tmp_path / "hub.keys", passphrase).pseudonym(AMC, b"nir|1|2|3")
    assert mine != keys.pseudonym(OTHER, b"nir|1|2|3")
    assert mine != keys.pseudonym(AMC, b"nir|1|2|4")


def test_an_unknown_insurer_has_no_keys(keys: KeyFile) -> None:
    assert not keys.has("0000000000")
    with pytest.raises(Refused, match="insurer_unknown"):
        keys.pseudonym("0000000000", b"")


def test_creating_keys_twice_keeps_the_first(keys: KeyFile) -> None:
    before = keys.pseudonym(AMC, b"x")
    keys.create(AMC)
    assert keys.pseudonym(AMC, b"x") == before


def test_another_process_sees_a_new_insurer_without_restarting(keys: KeyFile, tmp_path: Path, passphrase: str) -> None:
    other = KeyFile(tmp_path / "hub.keys", passphrase)
    keys.create("0075000001")
    assert other.pseudonym("0075000001", b"x") == keys.pseudonym("0075000001", b"x")


def test_the_sealed_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    KeyFile(tmp_path / "hub.keys", "right").create(HUB)
    for wrong in ("wrong", ""):
        with pytest.raises(Refused, match="keys_locked"):
            KeyFile(tmp_path / "hub.keys", wrong)


@given(cut=st.integers(0, 200))
def test_a_damaged_key_file_is_refused_never_misread(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("keys") / "hub.keys"
    KeyFile(path, "").create(HUB)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole) - 1)])
    with pytest.raises(Refused, match="keys_locked"):
        KeyFile(path, "")


def test_unsealed_keys_shout_and_production_refuses_them(tmp_path: Path) -> None:
    with pytest.warns(DevelopmentOnly):
        open_keys(tmp_path / "hub.keys", "", production=False)
    with pytest.raises(Refused, match="keys_unsealed"):
        open_keys(tmp_path / "hub.keys", "", production=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_keys(tmp_path / "sealed.keys", "passphrase", production=True)


def test_the_file_is_its_owners_alone(keys: KeyFile, tmp_path: Path) -> None:
    assert (tmp_path / "hub.keys").stat().st_mode & 0o077 == 0
