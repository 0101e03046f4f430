"""Whatever was drawn, issued, retired and revoked, a pass verifies iff its key is not retired and it is otherwise valid."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.destroying import retire
from ecluse.app.keys import rotate_pass
from ecluse.app.passes import OPERATOR, check_pass, issue_some, order, revoke_pass
from ecluse.engines.keys.signers import TRUSTED_MAX
from ecluse.formats.pass_members import read_member
from ecluse.gate.admission import Request
from ecluse.kernel.errors import Refused
from ecluse.passes.issued import from_text
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import AMC, row
from tests.journeys.test_pass_keys import PHRASE, covered, now_s
from tests.vectors.passes import tiny_verifier

ASKS = Request(OPERATOR, "")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return covered(tmp_path_factory.mktemp("template"))


# An act: draw a key, issue a pass to somebody, retire a version, issue the n-th wish again, revoke the n-th pass.
ACT = st.one_of(
    st.just(("rotate", 0)),
    *(st.tuples(st.just(name), st.integers(1, 4)) for name in ("issue", "retire", "again", "revoke")),
)


class Told:
    """A hub, and what should hold of its passes: version, index and wish of every text that was handed out."""

    def __init__(self, hub: OpenHub) -> None:
        self.hub = hub
        self.newest, self.retired, self.revoked = 1, set[int](), set[int]()
        self.wishes: list[tuple[int, str]] = []
        self.texts: dict[str, tuple[int, int]] = {}
        self.latest: dict[int, str] = {}
        self._holders = itertools.count(1)

    def rotate(self, _: int) -> None:
        if self.newest - len(self.retired) >= TRUSTED_MAX:
            with pytest.raises(Refused, match="pass_keys_many"):
                self.hub.run(rotate_pass(self.hub))
        else:
            self.newest += 1
            assert self.hub.run(rotate_pass(self.hub)).pass_version == self.newest

    def issue(self, person: int) -> None:
        self.wishes.append(((1, 2, 4)[person % 3], f"{next(self._holders):064x}"))
        self.again(1)

    def again(self, number: int) -> None:
        """The wish of this number from the end: the same text, another signature if its key is gone, another pass if revoked."""
        if number > len(self.wishes):
            return
        at = len(self.wishes) - number
        who, holder = row(self.wishes[at][0]), self.wishes[at][1]
        wanted = read_member(1, {**who, "birth_rank": "1", "holder_key": holder})
        given = order(self.hub, ASKS, AMC, None, 31, holder.encode())
        text = self.hub.run(issue_some(self.hub, ASKS, given, [wanted]))[0].answer.text
        assert text
        before = self.latest.get(at)
        if before and self.texts[before][1] in self.revoked:
            assert index_of(text) not in self.revoked  # another pass
            before = None
        if before and self.texts[before][0] not in self.retired:
            assert text == before
        else:
            index = self.texts[before][1] if before else index_of(text)
            self.texts[text], self.latest[at] = (self.newest, index), text
            assert index_of(text) == index

    def retire(self, version: int) -> None:
        if version < self.newest:
            for operator in ("a.martin", "b.durand"):
                self.hub.run(retire(self.hub, version, operator, PHRASE.format(version)))
            self.retired.add(version)
        else:
            with pytest.raises(Refused, match="pass_key_signs" if version == self.newest else "pass_key_unknown"):
                self.hub.run(retire(self.hub, version, "a.martin", ""))

    def revoke(self, number: int) -> None:
        if number <= len(self.texts):
            text = [*self.texts][-number]
            if self.texts[text][0] not in self.retired:
                self.hub.run(revoke_pass(self.hub, ASKS, AMC, text))
                self.revoked.add(self.texts[text][1])

    def holds(self) -> None:
        """Every text verifies iff its key is not retired, and, by the book, it was not revoked; off line likewise."""
        keys = self.hub.keys.pass_keys()
        for text, (version, index) in self.texts.items():
            believed = version not in self.retired
            assert taken(lambda text=text: self.hub.run(check_pass(self.hub, text))) is (
                believed and index not in self.revoked
            )
            assert taken(lambda text=text: tiny_verifier.verify(text, keys.issuers, now_s(self.hub))) is believed


def index_of(text: str) -> int:
    return int(tiny_verifier.whole(tiny_verifier.whole(from_text(text)[1:])[2])[2])


def taken(verify: Any) -> bool:
    try:
        verify()
    except (Refused, KeyError):
        return False
    return True


@settings(max_examples=25, deadline=None)
@given(acts=st.lists(ACT, max_size=14))
def test_a_pass_verifies_iff_its_key_is_not_retired_whatever_was_done(
    template: Path, acts: list[tuple[str, int]]
) -> None:
    with TemporaryDirectory() as place:
        shutil.copytree(template, Path(place) / "hub")
        with open_hub(Path(place) / "hub") as hub:
            told = Told(hub)
            for act, number in (("issue", 1), *acts):
                getattr(told, act)(number)
                told.holds()
