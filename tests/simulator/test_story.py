"""Parts of the story that need no run: facts with their sources, French as it is set, what is added to a thief's knowledge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecluse.breach.letter import rules
from sim.story import facts as told
from sim.story.figures import added
from sim.story.page import duration, french, span


def test_every_fact_has_a_source_and_every_source_is_used() -> None:
    read = told.facts()
    used = {name for fact in read.facts.values() for name in fact.sources}
    assert all(fact.sources for fact in read.facts.values())
    assert used == read.sources.keys()
    assert read.data.keys() <= rules().fields.keys()


@pytest.mark.parametrize("sources", ["[]", '["nobody"]'])
def test_a_fact_without_a_source_does_not_load(sources: str, tmp_path: Path) -> None:
    file = tmp_path / "facts.toml"
    file.write_text(f'unknown = []\n[data]\n[sources]\n[facts.one]\nsays = "Un fait."\nsources = {sources}\n')
    with pytest.raises(ValueError, match="one has no source"):
        told.read(file)


def test_a_word_too_many_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "facts.toml"
    file.write_text('unknown = []\n[data]\n[sources]\n[facts.one]\nsays = "Un fait."\nsources = []\nsure = true\n')
    with pytest.raises(msgspec.ValidationError, match="sure"):
        told.read(file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Et moi ? Oui : « ici » ; 5 %</p>", "<p>Et moi\u202f? Oui\u00a0: «\u202fici\u202f»\u202f; 5\u202f%</p>"),
        ('<a href="a ? b : c">l\'an</a>', '<a href="a ? b : c">l’an</a>'),
    ],
)
def test_french_is_set_in_what_is_read_and_in_no_tag(before: str, after: str) -> None:
    assert french(f"<style>a{{b : c}}</style>{before}") == f"<style>a{{b : c}}</style>{after}"


def test_shares_and_times_are_said_as_french_readers_write_them() -> None:
    assert span({"low": 0.09, "mid": 0.13, "high": 0.2}) == "13\u00a0% (9 à 20)"
    assert span({"low": 0.0, "mid": 0.0, "high": 0.001}) == "0\u00a0%"
    assert (duration(0.84), duration(59.94), duration(87.2)) == ("0,8\u00a0s", "59,9\u00a0s", "1\u00a0min 27\u00a0s")


def test_what_answers_add_is_never_below_nothing() -> None:
    def crossing(mid: float) -> dict[str, Any]:
        return {"harms": {"convincing": {"after": {"mid": mid}}}}

    assert added({"typed": crossing(0.1), "ours": crossing(0.12)}) == {"convincing": 0.02}
    assert added({"typed": crossing(0.1), "ours": crossing(0.09)}) == {"convincing": 0.0}
