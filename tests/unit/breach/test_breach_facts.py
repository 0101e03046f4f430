"""What is not a fact is refused with its place and what would do; whatever JSON comes, the answer is JSON or a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.assess import assess
from ecluse.breach.dora.answer import answer
from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import BYTES_MAX, Facts, read
from ecluse.breach.times import Times, running, shown
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused
from tests.laws import examples

TODAY = parse_day("2026-11-29")


def refused(text: str, kind: Any = Facts) -> Refused:
    with pytest.raises(Refused) as caught:
        assess(read(text.encode(), kind), TODAY)
    return caught.value


@pytest.mark.parametrize(
    ("text", "pointer", "said"),
    [
        ('{"nir": "1"}', None, "unknown field `nir`"),
        ('{"enisa": {"zz": 1}}', "/enisa", "dpc, ei, cb, se"),
        ('{"cause": "bad"}', "/cause", "external_malicious, internal_malicious"),
        ('{"nature": ["confidentiality", "x"]}', "/nature/1", "confidentiality, integrity, availability"),
        ('{"data": [{"category": "x", "class": "y"}]}', None, "simple, behavioural"),
        ('{"data": ["xyz"]}', "/data", "'xyz' has no class"),
        ('{"persons": -1}', "/persons", ">= 0"),
        ('{"persons": 1.5}', "/persons", "int | str"),
        ('{"restored_within_h": "six"}', "/restored_within_h", "Expected"),
        ('{"clock": {"aware": "2026-03-06T08:00:00"}}', "/clock/aware", "timezone"),
        ('{"clock": {"aware": "1026-03-06T08:00:00Z"}}', "/clock", "a year from 2000"),
        ('{"clock": {}}', "/clock/aware", "starts when somebody is aware"),
        (
            '{"clock": {"aware": "2026-03-06T08:00:00Z", "notified": "2026-03-01T08:00:00Z"}}',
            "/clock/notified",
            "before",
        ),
        ('{"enisa": {"dpc": {"category": "simple", "insight": "full"}}}', "/enisa/dpc/insight", "assumption"),
        ('{"enisa": {"dpc": {"category": "credentials"}}}', "/enisa/dpc/opens", "what they open"),
        ('{"enisa": {"ei": {"identifier": "email", "condition": "x"}}}', "/enisa/ei/condition", "reveals_name"),
        ('{"enisa": {"dpc": 1, "ei": 1, "cb": 0, "se": 3}}', "/enisa/se", "DPC × EI + CB is 1"),
        ('{"cnil_band": {"persons": 3}, "enisa": {"se": 1}}', "/cnil_band", "by itself"),
        ('{"cause": "unknown", "cause": "unknown"}', None, "a key stands twice"),
        ('{"persons": NaN}', None, "NaN"),
        ("{", None, "not one JSON object"),
        ("[]", None, "Expected `object`"),
        ("{}", None, "no fact was sent"),
        (json.dumps({"data": ["x" * BYTES_MAX]}), None, "more than"),
        ('{"\\u001b[31m": 1}', None, "unknown field `?[31m`"),
    ],
)
def test_what_is_not_a_fact_is_refused_with_its_place(text: str, pointer: str | None, said: str) -> None:
    error = refused(text)
    assert error.code == "facts_invalid"
    assert error.pointer == pointer or pointer is None
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_category_that_is_not_in_the_table_may_come_with_its_class() -> None:
    sent = {"cause": "internal_accidental", "nature": ["confidentiality"], "persons": 1, "recipient": "wrong_person"}
    texts = [json.dumps({**sent, "data": [{"category": "pets", "class": kind}]}) for kind in ("simple", "sensitive")]
    assert [assess(read(text.encode(), Facts), TODAY)["notify_authority"] for text in texts] == [False, True]


words = st.sampled_from(
    [
        "unknown",
        "external_malicious",
        "confidentiality",
        "proved",
        "health",
        "none",
        "2026-03-06T08:00:00Z",
        "initial",
        "9(1)",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@examples(150)
@given(st.sampled_from([Facts, Dora, Times]), st.data())
def test_any_json_is_answered_in_json_or_refused(kind: Any, data: st.DataObject) -> None:
    keys = st.sampled_from(kind.__struct_encode_fields__)
    sent = data.draw(st.dictionaries(keys, values, max_size=4))
    if kind is Times:
        sent["aware"] = "2026-03-06T08:00:00Z"
    try:
        facts = read(json.dumps(sent).encode(), kind)
        if kind is Facts:
            told = assess(facts, TODAY)
        elif kind is Dora:
            told = answer(facts, TODAY)
        else:
            told = shown(running(facts, facts.now or facts.aware), facts.now or facts.aware)
    except Refused:
        return
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(told))
