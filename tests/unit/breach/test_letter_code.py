"""Codes of letters: one that was made is known, whatever way it is typed; any other is refused, and nothing else is learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.letters.code import ALPHABET, LetterKey, check, code_of
from ecluse.kernel.errors import Refused

KEY = LetterKey("INC-1", "0075123456", bytes(range(32)))
TEXT = st.text(max_size=30)


@given(TEXT, TEXT.filter(str.strip))
def test_what_was_made_is_known_and_by_its_name(reference: str, name: str) -> None:
    code = code_of(KEY, reference, name)
    assert check(KEY, code).name == "not_given"
    assert check(KEY, code, name).name == "matches"
    assert len(code) == 24
    assert set(code) <= {*ALPHABET, "-"}


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code.replace('-', '')} ",
                                   lambda code: code.replace("0", "o").replace("1", "I")])  # fmt: skip
def test_it_may_be_typed_as_people_type(typed: object) -> None:
    for number in range(50):
        assert callable(typed)
        assert check(KEY, typed(code_of(KEY, str(number), "Martin")), "martin").real


@pytest.mark.parametrize(("written", "typed"), [("Lefèvre-Diaz", "LEFEVRE DIAZ"), ("D'Œuvre", "d oeuvre")])
def test_a_name_is_known_without_its_accents(written: str, typed: str) -> None:
    assert check(KEY, code_of(KEY, "r", written), typed).name == "matches"


def test_a_code_copied_into_a_letter_to_somebody_else_is_seen_by_the_name() -> None:
    assert check(KEY, code_of(KEY, "r", "Martin"), "Durand").name == "does_not_match"


@given(st.integers(0, 15), st.sampled_from(ALPHABET))
def test_one_character_changed_is_refused(at: int, other: str) -> None:
    code = code_of(KEY, "r", "Martin").replace("-", "")
    if code[at] != other:
        with pytest.raises(Refused, match="letter_code_refused"):
            check(KEY, code[:at] + other + code[at + 1 :])


@given(st.text(alphabet=ALPHABET, min_size=20, max_size=20))
def test_a_guessed_code_is_refused(guess: str) -> None:
    with pytest.raises(Refused):
        check(KEY, guess)


@given(st.text(max_size=100))
def test_anything_else_is_refused_alike(text: str) -> None:
    with pytest.raises(Refused) as refused:
        check(KEY, text)
    assert refused.value.detail == "No letter of ours has this code"


@pytest.mark.parametrize("other", [LetterKey("INC-2", "0075123456", KEY.key), LetterKey("INC-1", "0075123457", KEY.key),
                                   LetterKey("INC-1", "0075123456", bytes(32))])  # fmt: skip
def test_another_incident_insurer_or_key_has_other_codes(other: LetterKey) -> None:
    with pytest.raises(Refused):
        check(KEY, code_of(other, "r", "Martin"))


def test_the_key_is_not_printed() -> None:
    assert "key" not in repr(KEY)
