"""An incident is the fold of its events: where each leads, what was known when, what follows for whom."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.incident.events import (
    CUSTODY,
    HUB,
    Closed,
    Decided,
    Event,
    EvidenceMade,
    FactAdded,
    Happened,
    Notified,
    Opened,
    Packed,
    Part,
    Reopened,
    Scoped,
    Signed,
)
from ecluse.breach.incident.follows import clocks, follows, outdated, part_of, parties, question_of, told_us, untold
from ecluse.breach.incident.own import read_fact
from ecluse.breach.incident.state import MOVES, Incident, State, after, fold
from ecluse.breach.incident.view import shown
from ecluse.exposure.question import read_question
from ecluse.journal.entry import Field
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused

TODAY = parse_day("2026-11-29")
DAY_US = 86_400_000_000
FOUND_US = int(datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp() * 1_000_000)
MUTUELLE, OTHER, SPARED = "0075123456", "0075999999", "0075000001"
BY = "Anne Martin, DPO"
QUESTION = read_question(["rpps:10000000001"], "2026-11-02", "2026-11-20")
SEEN = Field.OUTCOME | Field.COVERED_UNTIL
PARTS = (
    Part(MUTUELLE, 45_000, 45_000, 1_800, 1_800, 2_104, SEEN, 0, 310, 1_490),
    Part(OTHER, 9_000, 9_000, 3, 3, 3, SEEN | Field.CLAIM, 0, 0, 3),
    Part(SPARED, 5_000, 5_000, 0, 0, 0, 0, 0, 0, 0),
)  # fmt: skip
OPENED = Opened(by=BY, question=QUESTION, found_us=FOUND_US, how_found="Alerte du guichet")
SCOPED = Scoped(
    by=BY, question=QUESTION, exposure_id="exp_1", sha256="00", as_of_us=FOUND_US, lists_shown=1, lost=0, parts=PARTS
)
ANSWER = {"register": True, "notify_authority": True, "communicate_persons": True}
EVENTS: dict[str, Event] = {
    "opened": OPENED,
    "fact": FactAdded(by=BY, name="cause", value="external_malicious", known_us=FOUND_US),
    "scoped": SCOPED,
    "decided": Decided(by=BY, insurer=HUB, knew=1, signed=Signed(register=True, authority=True, persons=True), answer=ANSWER),
    "notified": Notified(by=BY, deadline="gdpr_controllers", at_us=FOUND_US, insurer=MUTUELLE),
    "packed": Packed(by=BY, insurer=MUTUELLE, version=2, sha256="00", people=1_800),
    "evidence": EvidenceMade(by=BY, version=2, made_for="Juge d'instruction", entries=9),
    "closed": Closed(by=BY, reason="Tout est fait."),
    "reopened": Reopened(by=BY, reason="Un autre compte."),
}  # fmt: skip


def happened(*names: str, more: tuple[Event, ...] = ()) -> list[Happened]:
    events = [*(EVENTS[name] for name in names), *more]
    return [Happened(number, FOUND_US + number, event) for number, event in enumerate(events, 1)]


def fact(name: str, value: Any, insurer: str = HUB) -> FactAdded:
    return FactAdded(by=BY, name=name, value=value, known_us=FOUND_US, insurer=insurer)


def told(words: str) -> State | str:
    try:
        return fold(happened(*words.split())).state
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("opened", State.OPENED),
        ("opened fact fact", State.OPENED),
        ("opened scoped", State.SCOPED),
        ("opened scoped decided", State.CLASSIFIED),
        ("opened scoped decided notified", State.NOTIFIED),
        ("opened scoped decided notified fact", State.NOTIFIED),
        ("opened scoped decided notified scoped", State.SCOPED),
        ("opened scoped decided notified decided", State.CLASSIFIED),
        ("opened scoped decided closed", State.CLOSED),
        ("opened scoped packed decided packed closed packed evidence", State.CLOSED),
        ("opened scoped decided closed reopened", State.REOPENED),
        ("opened scoped decided closed reopened scoped decided closed", State.CLOSED),
        ("fact", "incident_state"),
        ("opened opened", "incident_state"),
        ("opened decided", "incident_state"),
        ("opened packed", "incident_state"),
        ("opened scoped notified", "incident_state"),
        ("opened scoped closed", "incident_state"),
        ("opened scoped decided closed fact", "incident_state"),
        ("opened scoped decided closed decided", "incident_state"),
        ("opened reopened", "incident_state"),
    ],
)
def test_each_event_leads_where_the_table_says(words: str, state: State | str) -> None:
    assert told(words) == state


def test_every_event_has_its_row() -> None:
    assert {type(each) for each in EVENTS.values()} == MOVES.keys()


def live(names: list[str]) -> tuple[list[Happened], list[Incident]]:
    """The events that were accepted, tried one after the other, and the incident after each."""
    kept: list[Happened] = []
    states: list[Incident] = []
    for name in names:
        each = Happened(len(kept) + 1, FOUND_US + len(kept), EVENTS[name])
        with suppress(Refused):
            states.append(after(states[-1] if states else None, each))
            kept.append(each)
    return kept, states


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=25).map(lambda names: ["opened", *names]))
def test_a_replay_is_what_was_live_at_every_version(names: list[str]) -> None:
    kept, states = live(names)
    read = msgspec.json.decode(msgspec.json.encode(kept), type=list[Happened])
    assert read == kept
    for place, state in enumerate(states, 1):
        assert fold(read[:place]) == state
        if isinstance(kept[place - 1].event, CUSTODY):
            assert (state.version, state.knew) == (states[place - 2].version, states[place - 2].knew)


def test_one_incident_has_a_decision_for_the_hub_and_for_each_insurer() -> None:
    incident = fold(happened("opened", "fact", "scoped"))
    assert parties(incident) == [HUB, MUTUELLE, OTHER, SPARED]
    hub, mutuelle, other, spared = (follows(incident, each, TODAY) for each in parties(incident))
    assert hub.answer["notify_each_controller"]
    assert hub.signed == Signed(register=True, authority=False, persons=False, controllers=True)
    assert hub.dora is None
    assert mutuelle.signed == Signed(register=True, authority=True, persons=True)
    assert mutuelle.dora is not None
    assert mutuelle.dora["major"] is True
    assert mutuelle.dora["clients"] == 1_800
    assert other.answer["severity"] == "Maximal", "a claim shown again tells of care"
    assert spared.signed == Signed(register=False, authority=False, persons=False)
    assert "n'a été affichée" in spared.answer["why"][0]


def test_what_was_said_then_stays_and_what_is_outdated_is_told() -> None:
    decided = tuple(
        Decided(by=BY, insurer=each.insurer, knew=3, signed=each.signed, answer=each.answer, dora=each.dora)
        for each in (
            follows(fold(happened("opened", "fact", "scoped")), party, TODAY)
            for party in (HUB, MUTUELLE, OTHER, SPARED)
        )
    )
    events = happened(
        "opened", "fact", "scoped", more=(*decided, fact("vulnerable_persons", value=True, insurer=OTHER))
    )
    before, now = fold(events[:-1]), fold(events)
    assert outdated(before, TODAY) == []
    assert outdated(now, TODAY) == [OTHER], "only the insurer the fact is about"
    late = fold(happened("opened", "fact", "scoped", more=(*decided, fact("recipient", value="former_employee"))))
    assert set(outdated(late, TODAY)) >= {HUB, MUTUELLE}
    assert shown("inc_1", events[:3], TODAY)["decisions"] == []
    assert [each["party"] for each in shown("inc_1", events, TODAY)["decisions"]] == ["hub", MUTUELLE, OTHER, SPARED]


def test_the_hubs_clock_runs_until_every_exposed_insurer_was_told() -> None:
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    told = Notified(by=BY, deadline="gdpr_controllers", at_us=FOUND_US + 1, insurer=OTHER)
    one = fold(happened("opened", "scoped", "decided", "notified"))
    both = fold(happened("opened", "scoped", "decided", "notified", more=(told,)))
    assert (untold(one), untold(both)) == ([OTHER], [])
    states = [
        {(each.insurer, each.running.deadline.id): each.running.state for each in clocks(incident, now)}
        for incident in (one, both)
    ]
    assert [each[HUB, "gdpr_controllers"] for each in states] == ["running", "done"]
    assert (MUTUELLE, "gdpr_authority") in states[0]
    assert (OTHER, "gdpr_authority") not in states[0], "a controller is aware once it is told"
    assert (SPARED, "gdpr_authority") not in states[1]
    due = next(
        each for each in clocks(one, now) if (each.insurer, each.running.deadline.id) == (MUTUELLE, "gdpr_authority")
    )
    assert due.running.deadline.due == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert told_us(both, SPARED) == 0


def test_the_hub_is_controller_of_what_it_holds_of_professionals() -> None:
    exposed = fact("professionals", [{"account": "rpps:10000000001", "fields": ["RIB"]}])
    incident = fold(happened("opened", "fact", "scoped", more=(exposed,)))
    signed = follows(incident, HUB, TODAY).signed
    assert signed == Signed(register=True, authority=True, persons=True, controllers=True)
    found = [each.running.deadline.id for each in clocks(incident, datetime(2026, 11, 20, 10, tzinfo=UTC))]
    assert {"gdpr_controllers", "gdpr_authority", "lopmi_complaint"} <= {*found}


def test_urgent_deadlines_come_first_and_those_met_last() -> None:
    found = clocks(
        fold(happened("opened", "scoped", "decided", "notified")),
        datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(days=5),
    )
    done = [each.running.state in ("done", "late") for each in found]
    lasts = [each.running.deadline.last for each, is_done in zip(found, done, strict=True) if not is_done]
    assert done == sorted(done)
    assert lasts == sorted(lasts)


def test_a_fact_may_widen_the_question_and_the_scope_is_then_outdated() -> None:
    accounts = ("rpps:10000000001", "rpps:10000000002")
    incident = fold(happened("opened", "scoped", more=(fact("accounts", accounts), fact("to", "2026-11-22T00:00:00Z"))))
    assert question_of(incident).accounts == accounts
    assert question_of(incident).end_ts_us > QUESTION.end_ts_us
    assert incident.scoped is not None
    assert incident.scoped.question != question_of(incident)


def test_a_fact_of_an_insurer_stands_before_everybodys_and_null_takes_it_back() -> None:
    facts = (fact("cause", "internal_accidental", MUTUELLE), fact("media", value=True), fact("media", value=None))
    incident = fold(happened("opened", "fact", "scoped", more=facts))
    assert (follows(incident, MUTUELLE, TODAY).dora or {}).get("art9_5_b_met") is False
    assert "art9_2_met" not in (follows(incident, OTHER, TODAY).dora or {})


def test_the_whole_is_the_sum_of_its_parts() -> None:
    whole = part_of(fold(happened("opened", "scoped")), HUB)
    assert whole == Part(HUB, 59_000, 59_000, 1_803, 1_803, 2_107, SEEN | Field.CLAIM, 0, 310, 1_493)


@pytest.mark.parametrize(
    ("name", "value", "insurer"),
    [
        ("colour", "blue", ""),
        ("cause", "weather", ""),
        ("accounts", ["rpps:1"], MUTUELLE),
        ("siren", "12", ""),
        ("measures_taken", ["x" * 5_000], ""),
        ("professionals", [{"name": "nobody"}], ""),
    ],
)
def test_what_is_no_fact_is_refused_by_name(name: str, value: Any, insurer: str) -> None:
    with pytest.raises(Refused, match="facts_invalid"):
        read_fact(name, value, insurer)
