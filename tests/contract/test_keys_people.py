"""A person's key, on every engine: what it sealed opens until the person is forgotten, and then for nobody; all else does."""

from __future__ import annotations

import contextlib
import os
import time
from hashlib import blake2s, sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.ports import Destruction
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.keys.keyring import Keyring
from ecluse.engines.keys.people import LEVELS
from ecluse.engines.keys.ring import LOOK_S, MAGIC, Scope
from ecluse.kernel.errors import Refused
from tests.contract.places import Place

AMC = "0075123456"
OTHER = "0075999999"
ANNE, PAUL = (sha256(name).digest()[:16] for name in (b"Anne", b"Paul"))


@pytest.fixture
def keys(place: Place) -> Keyring:
    made = place.open(new=True)
    made.create(AMC)
    made.create(OTHER)
    return made


def refused(code: str) -> contextlib.AbstractContextManager[object]:
    return pytest.raises(Refused, match=code)


def test_what_is_sealed_for_a_person_opens_by_itself_also_after_a_restart(keys: Keyring, place: Place) -> None:
    sealed = keys.seal(AMC, b"care", b"quote 1", ANNE)
    assert (sealed[:2], sealed[2:18], len(sealed)) == (b"\0\1", ANNE, 18 + 12 + 4 + 16)
    assert keys.open(AMC, sealed, b"quote 1") == b"care"
    assert place.open().open(AMC, sealed, b"quote 1") == b"care"


@pytest.mark.parametrize(
    ("scope", "about", "spoil"),
    [
        (OTHER, b"quote 1", None),
        (AMC, b"quote 2", None),
        *((AMC, b"quote 1", place) for place in (0, 1, 2, 17, 18, -1)),
    ],
)
def test_what_is_sealed_for_a_person_opens_as_nothing_else(
    keys: Keyring, scope: str, about: bytes, spoil: int | None
) -> None:
    sealed = bytearray(keys.seal(AMC, b"care", b"quote 1", ANNE))
    if spoil is not None:
        sealed[spoil] ^= 1
    with refused("seal_broken"):
        keys.open(scope, bytes(sealed), about)


@pytest.mark.parametrize("length", [0, 1, 2, 17, 18, 30])
def test_what_is_cut_short_is_broken_also_for_a_forgotten_person(keys: Keyring, length: int) -> None:
    sealed = keys.seal(AMC, b"care", b"", ANNE)[:length]
    with refused("seal_broken"):
        keys.open(AMC, sealed, b"")
    keys.forget(AMC, ANNE)
    with refused("person_forgotten" if length >= 18 else "seal_broken"):
        keys.open(AMC, sealed, b"")


def test_a_forgotten_person_is_forgotten_everywhere_and_nobody_else(keys: Keyring, place: Place) -> None:
    other = place.open()
    gone = [keys.seal(AMC, b"care", b"", ANNE)]
    keys.rotate(AMC, "data")
    gone.append(keys.seal(AMC, b"care", b"", ANNE))
    kept = [keys.seal(AMC, b"care", b"", PAUL), keys.seal(AMC, b"care", b"")]
    elsewhere = keys.seal(OTHER, b"care", b"", ANNE)
    assert [other.open(AMC, each, b"") for each in (*gone, *kept)] == [b"care"] * 4
    keys.forget(AMC, ANNE)
    time.sleep(LOOK_S)
    for ring in (keys, other, place.open()):
        for each in gone:
            with refused("person_forgotten"):
                ring.open(AMC, each, b"")
        assert [ring.open(AMC, each, b"") for each in kept] == [b"care"] * 2
        assert ring.open(OTHER, elsewhere, b"") == b"care"


def test_a_forgotten_person_comes_back_and_may_be_forgotten_again(keys: Keyring, place: Place) -> None:
    other, lives = place.open(), []
    other.open(
        AMC, keys.seal(AMC, b"", b""), b""
    )  # the other process has read the ring, and does not look again by itself
    for life in range(3):
        lives.append(keys.seal(AMC, b"life %d" % life, b"", ANNE))
        assert other.open(AMC, lives[-1], b"") == keys.open(AMC, lives[-1], b"") == b"life %d" % life
        for before in lives[:-1]:
            with refused("person_forgotten"):
                keys.open(AMC, before, b"")
        keys.forget(AMC, ANNE)


def test_a_copy_older_than_a_forgetting_opens_where_a_passphrase_alone_wraps_it(keys: Keyring, place: Place) -> None:
    """A passphrase opens every copy it sealed; a token and a server destroy the key that wrapped the older ones."""
    sealed, copy = keys.seal(AMC, b"care", b"", ANNE), keys.copy()
    keys.forget(AMC, ANNE)
    if place.engine == "file":
        assert AMC in place.handle().restore(copy, over=True)
        assert place.open().open(AMC, sealed, b"") == b"care"
    else:
        with refused("keys_locked"):
            place.handle().restore(copy, over=True)


def test_a_forgetting_that_was_asked_for_is_remembered_by_person(keys: Keyring, place: Place) -> None:
    assert keys.destruction(AMC, ANNE) is None
    keys.ask_destruction(AMC, Destruction("a.martin", 7), ANNE)
    assert place.open().destruction(AMC, ANNE) == Destruction("a.martin", 7)
    assert (keys.destruction(AMC, PAUL), keys.destruction(AMC)) == (None, None)
    keys.forget(AMC, ANNE)
    assert place.open().destruction(AMC, ANNE) is None


def test_a_ring_of_before_gets_its_tree_when_somebody_is_first_sealed_for(keys: Keyring, place: Place) -> None:
    keys.change(lambda scopes: {name: msgspec.structs.replace(each, people={}) for name, each in scopes.items()})
    first, second = place.open(), place.open()
    sealed = [ring.seal(AMC, b"care", b"", ANNE) for ring in (first, second)]
    for ring in (first, second, place.open()):
        assert [ring.open(AMC, each, b"") for each in sealed] == [b"care", b"care"]
    keys.change(lambda scopes: {name: msgspec.structs.replace(each, people={}) for name, each in scopes.items()})
    keys.forget(AMC, ANNE)
    with refused("person_forgotten"):
        keys.open(AMC, sealed[0], b"")


def test_a_scope_without_keys_has_nobody_to_forget(keys: Keyring) -> None:
    with refused("insurer_unknown"):
        keys.forget("0000000000", ANNE)


PEOPLE = [sha256(b"person %d" % number).digest()[:16] for number in range(4)]
ACTS = st.lists(st.tuples(st.sampled_from(["seal", "seal", "forget", "rotate"]), st.sampled_from(PEOPLE)), max_size=25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@settings(max_examples=60, deadline=None)
@given(acts=ACTS)
def test_what_does_not_open_is_exactly_what_was_sealed_before_its_person_was_forgotten(
    folder: Path, acts: list[tuple[str, bytes]]
) -> None:
    path = folder / os.urandom(8).hex()
    keys = KeyFile(path, "")
    keys.create(AMC)
    opens: list[tuple[bytes, bytes, bool]] = []
    for act, person in acts:
        if act == "seal":
            opens.append((keys.seal(AMC, person, b"", person), person, True))
        elif act == "rotate":
            keys.rotate(AMC, "data")
        else:
            keys.forget(AMC, person)
            opens = [(sealed, whose, still and whose != person) for sealed, whose, still in opens]
    for ring in (keys, KeyFile(path, "")):
        for sealed, person, still in opens:
            with contextlib.nullcontext() if still else refused("person_forgotten"):
                assert ring.open(AMC, sealed, b"") == person


@settings(max_examples=10, deadline=None)
@given(forgotten=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=12, unique=True))
def test_nothing_that_is_kept_leads_to_a_forgotten_persons_key(folder: Path, forgotten: list[bytes]) -> None:
    """Every seed that the file holds, carried down every end of the person's path: none gives a seed that was on it."""
    path = folder / os.urandom(8).hex()
    keys = KeyFile(path, "")
    keys.create(AMC)
    root = kept(path)[""]
    for person in forgotten:
        keys.forget(AMC, person)
    plain, seeds = path.read_bytes(), kept(path)
    assert len({len(seed) for seed in seeds.values()} | {32}) == 1
    for person in forgotten:
        way = sha256(person).hexdigest()[:LEVELS]
        gone = {down(root, way[:level]) for level in range(LEVELS + 1)}
        assert len(gone) == LEVELS + 1
        assert not any(seed in plain for seed in gone)
        for level in range(LEVELS + 1):
            assert gone.isdisjoint(down(seed, way[level:]) for seed in seeds.values())


def kept(path: Path) -> dict[str, bytes]:
    """The seeds that a plain key file holds for the only data key of the insurer."""
    body = path.read_bytes().removeprefix(MAGIC).partition(b"\n")[2]
    return msgspec.msgpack.decode(body, type=dict[str, Scope])[AMC].people[1]


def down(seed: bytes, way: str) -> bytes:
    """The seed at the end of `way`, written here once more."""
    for digit in way:
        seed = blake2s(seed, person=digit.encode()).digest()
    return seed
