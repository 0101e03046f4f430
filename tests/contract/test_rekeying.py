"""Rights carried to a new index key: everybody under the new one, resumed where a stop left it, read by the version they have."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from ecluse.app.ports import FeedCounts
from ecluse.engines.rekeying import COMMIT_ROWS
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.rights_files import RightsFiles
from ecluse.engines.sqlite.rights_work import RightsWorks
from ecluse.kernel.errors import Refused
from tests.stores import books

AMC = "0075123456"
PERSONS = COMMIT_ROWS + 10_000  # more than one commit


def person(number: int) -> bytes:
    return hashlib.sha256(b"person %d" % number).digest()[:16]


def member(number: int) -> bytes:
    return hashlib.sha256(b"member %d" % number).digest()[:16]


def next_of(pseudonym: bytes) -> bytes:
    return hashlib.sha256(pseudonym).digest()[:16]


class Carry:
    """The `Rekeying` of a test; it breaks after a number of batches, as a kill would."""

    version = 2

    def __init__(self, batches_max: int = 1_000) -> None:
        self.carried = 0
        self._left = batches_max

    def carry(self, pseudonyms: Sequence[bytes], since: int) -> list[bytes]:
        if not self._left:
            raise InterruptedError
        self._left -= 1
        self.carried += len(pseudonyms)
        return [next_of(each) for each in pseudonyms] if since == 1 else []

    def reseal(self, before: bytes, after: bytes, sealed: bytes) -> bytes:
        assert sealed.startswith(before)
        return after + sealed[16:]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's folder whose rights answer under the first key: the first person has two, the others one."""
    folder = tmp_path_factory.mktemp("rights")
    database = Database(books(folder / "hub.db"))
    with RightsWorks(folder, database).work(AMC, "fee_1") as work:
        work.plan(PERSONS + 1, 1)
        rows = [(person(n), n + 3, False, person(n) + b"a") for n in range(PERSONS)]
        work.add([(person(0), 2, False, person(0) + b"b"), *rows], [(member(n), person(n), n) for n in range(PERSONS)])
        counts, _ = asyncio.run(
            work.build(lambda _, __, some, ___: ([row[3] for row in some], []), lambda _: None, over=False)
        )
        asyncio.run(work.answer(counts, 0))
        asyncio.run(work.finish())
    database.close()
    return folder


def test_a_rekeying_goes_on_after_its_last_commit_and_everybody_is_found(built: Path) -> None:
    database = Database(built / "hub.db")
    works, files = RightsWorks(built, database), RightsFiles(built / "rights", database)
    assert asyncio.run(works.index_version(AMC)) == 1
    told: list[tuple[int, int]] = []
    for batches, expected in ((1, 1), (2, 1), (3, 1), (1_000, 2)):
        carrying = Carry(batches)
        rekeyed = works.rekey(AMC, carrying, lambda done, of: told.append((done, of)))
        if expected == 1:
            with pytest.raises(InterruptedError):
                asyncio.run(rekeyed)
        else:
            assert asyncio.run(rekeyed) == FeedCounts(rows=PERSONS + 1, persons=PERSONS, rights=PERSONS + 1)
            assert carrying.carried < PERSONS, "what was carried before was carried again"
        assert asyncio.run(works.index_version(AMC)) == expected
        for number in (1, 7, PERSONS - 1):  # found at every moment, by both keys' pseudonyms
            now = person(number) if expected == 1 else next_of(person(number))
            keys = (person(number), next_of(person(number)))
            assert files.read(AMC, keys) == (now, [now + b"a"])
            named = (member(number), next_of(member(number)))
            assert files.read(AMC, named, by_member=True) == (now, [now + b"a"])
    assert told[-1] == (2 * PERSONS + 1, 2 * PERSONS + 1)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    first = next_of(person(0))
    assert files.read(AMC, (person(0), first)) == (first, [first + b"b", first + b"a"])
    with pytest.raises(Refused, match="index_key_newer"):
        files.read(AMC, (person(1),))
    again = Carry(0)
    assert asyncio.run(works.rekey(AMC, again, lambda *_: None)) == FeedCounts(persons=PERSONS, rights=PERSONS + 1)
    assert [each.name for each in (built / "rights").iterdir()] == [f"{AMC}-fee_1-k2.db"]
    database.close()


def test_an_insurer_without_rights_has_nothing_to_carry(tmp_path: Path) -> None:
    works = RightsWorks(tmp_path, Database(books(tmp_path / "hub.db")))
    assert asyncio.run(works.index_version(AMC)) is None
    assert asyncio.run(works.rekey(AMC, Carry(0), lambda *_: None)) is None


def test_rows_staged_under_an_older_key_are_staged_again(tmp_path: Path) -> None:
    works = RightsWorks(tmp_path, Database(books(tmp_path / "hub.db")))
    with works.work(AMC, "fee_1") as work:
        work.plan(10, 1)
        work.add([(person(n), n, False, b"") for n in range(5)], [])
    with works.work(AMC, "fee_1") as work:
        work.plan(10, 1)
        assert (work.done, work.index_version) == (5, 1)
        work.plan(10, 2)
        assert (work.done, work.index_version) == (0, 2)
