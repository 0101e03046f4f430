"""Deadlines: hours run through week-ends and changes of hour, months by whole days, and a change of law is one row of data."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.agenda import calendar
from ecluse.breach.assess import assess
from ecluse.breach.clocks import Limit, deadline, rules, utc
from ecluse.breach.facts import Facts, convert
from ecluse.breach.times import Times, running, shown
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused

FRIDAY = "2026-03-06T17:00:00+01:00"
ALL = ["gdpr", "dora", "nis2", "lopmi"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def listed(now: str, **sent: Any) -> list[dict[str, Any]]:
    times = convert({"aware": FRIDAY, **sent}, Times)
    return shown(running(times, at(now)), at(now))["clocks"]  # type: ignore[no-any-return]


def by_id(now: str, **sent: Any) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in listed(now, **sent)}


@pytest.mark.parametrize(
    ("rule", "started", "due"),
    [
        ("gdpr_authority", FRIDAY, "2026-03-09T16:00:00Z"),  # the week-end runs
        ("gdpr_authority", "2026-03-28T12:00:00+01:00", "2026-03-31T11:00:00Z"),  # 72 h, though clocks go on an hour
        ("gdpr_controllers", FRIDAY, "2026-03-06T20:00:00Z"),
        ("gdpr_persons", FRIDAY, "2026-03-06T16:00:00Z"),
        ("nis2_warning", FRIDAY, "2026-03-07T16:00:00Z"),
        ("lopmi_complaint", FRIDAY, "2026-03-09T16:00:00Z"),
        ("dora_intermediate", FRIDAY, "2026-03-09T16:00:00Z"),
        ("dora_final", "2026-01-31T10:00:00+01:00", "2026-02-28T22:59:59Z"),  # February has no 31st
    ],
)
def test_a_deadline(rule: str, started: str, due: str) -> None:
    assert utc(deadline(rule, at(started)).due) == due


def test_a_month_counts_in_the_days_of_paris() -> None:
    line = deadline("nis2_final", at("2026-03-31T23:30:00Z"))  # already April in Paris
    assert str(line.due_day) == "2026-05-01"


@pytest.mark.parametrize(
    ("classified", "nis2", "significant", "until"),
    [
        ("2026-03-07T10:00:00+01:00", "none", False, "2026-03-09T11:00:00Z"),  # Saturday → Monday noon
        ("2026-04-04T10:00:00+02:00", "none", False, "2026-04-07T10:00:00Z"),  # Easter Monday is a holiday too
        ("2026-03-07T10:00:00+01:00", "essential", False, None),
        ("2026-03-07T10:00:00+01:00", "none", True, None),
        ("2026-03-07T10:00:00+01:00", None, False, None),  # not stated: the exception is not taken
        ("2026-03-04T10:00:00+01:00", "none", False, None),
    ],
)
def test_the_week_end_rule_of_dora(classified: str, nis2: str | None, significant: bool, until: str | None) -> None:
    sent = {"aware": classified, "classified": classified, "nis2": nis2, "significant": significant}
    found = by_id(classified, regimes=["dora"], **{key: value for key, value in sent.items() if value is not None})
    later = found["dora_initial"].get("may_submit_by")
    assert (later and later["utc"]) == until


def test_the_final_report_waits_for_a_working_day_whoever_sends_it() -> None:
    found = by_id(FRIDAY, regimes=["dora"], last_intermediate="2026-03-12T10:00:00+01:00", nis2="essential")
    assert found["dora_final"]["may_submit_by"]["paris"] == "2026-04-13T12:00:00+02:00"


def test_classified_late_leaves_four_hours() -> None:
    early = deadline("dora_initial", at("2026-03-03T09:00:00Z"), aware=at("2026-03-02T10:00:00Z"))
    late = deadline("dora_initial", at("2026-03-04T14:00:00Z"), aware=at("2026-03-03T08:00:00Z"))
    assert (utc(early.due), utc(late.due)) == ("2026-03-03T10:00:00Z", "2026-03-04T18:00:00Z")


def test_the_most_urgent_comes_first_and_what_is_done_last() -> None:
    found = listed(
        "2026-03-06T18:00:00Z", regimes=ALL, done={"lopmi_complaint": "2026-03-06T17:00:00Z"}, high_risk_known=FRIDAY
    )
    assert [each["id"] for each in found] == [
        "gdpr_persons",
        "gdpr_register",
        "nis2_warning",
        "gdpr_authority",
        "nis2_notification",
        "lopmi_complaint",
    ]
    assert found[-1]["state"] == "done"


def test_a_processor_owes_its_controllers_first_and_no_authority() -> None:
    found = by_id("2026-03-06T18:00:00Z", role="processor", contract_h=2)
    assert "gdpr_authority" not in found
    assert found["gdpr_controllers"]["due"]["utc"] == "2026-03-06T18:00:00Z"


def test_a_controller_told_by_its_processor_counts_from_there() -> None:
    found = by_id("2026-03-06T18:00:00Z", told_by_processor="2026-03-07T09:00:00Z")
    assert found["gdpr_authority"]["due"]["utc"] == "2026-03-10T09:00:00Z"


def test_the_same_in_an_assessment() -> None:
    clock = {"aware": FRIDAY, "told_by_processor": "2026-03-07T09:00:00Z", "notified": "2026-03-10T09:00:00Z"}
    found = assess(convert({"clock": clock}, Facts), parse_day("2026-11-29"))
    assert (found["due"], found["late"]) == ("2026-03-10T09:00:00Z", False)


def test_lateness_asks_for_its_reasons() -> None:
    late = by_id("2026-03-11T00:00:00Z")["gdpr_authority"]
    assert (late["state"], late["reasons_required"], late["reasons"]) == ("overdue", True, None)
    sent = {"done": {"gdpr_authority": "2026-03-10T00:00:00Z"}, "reasons": {"gdpr_authority": "Journal relu d'abord."}}
    given_up = by_id("2026-03-11T00:00:00Z", **sent)["gdpr_authority"]
    assert (given_up["state"], given_up["reasons"]) == ("late", "Journal relu d'abord.")


def test_a_deadline_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match="gdpr_authority"):
        by_id("2026-03-06T18:00:00Z", done={"nonsense": FRIDAY})


def test_ninety_six_hours_would_be_one_more_row() -> None:
    rule = rules()["gdpr_authority"]
    later = Limit(since=parse_day("2027-01-01"), source="COM(2025) 837", hours=96)
    book = {"gdpr_authority": msgspec.structs.replace(rule, limits=(*rule.limits, later))}
    before = deadline("gdpr_authority", at("2026-12-30T08:00:00Z"), book=book)
    after = deadline("gdpr_authority", at("2027-01-04T08:00:00Z"), book=book)
    assert (before.due - before.started, after.due - after.started) == (timedelta(hours=72), timedelta(hours=96))


def unfolded(data: bytes) -> list[str]:
    """The lines of an iCalendar file, as RFC 5545 reads them."""
    return data.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def test_the_agenda_has_the_open_deadlines() -> None:
    times = convert({"aware": FRIDAY, "regimes": ALL, "done": {"lopmi_complaint": FRIDAY}}, Times)
    now = at("2026-03-06T18:00:00Z")
    lines = unfolded(calendar(running(times, now), now))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    assert lines.count("BEGIN:VEVENT") == 4
    assert "DTSTART:20260309T160000Z" in lines
    assert "SUMMARY:Notifier la violation à l'autorité de contrôle (CNIL)" in lines
    assert any("art. 33(1) \\; les fins de semaine comptent" in line for line in lines)
    assert len({line for line in lines if line.startswith("UID:")}) == 4


NEEDED = {
    "VCALENDAR": {"VERSION", "PRODID"},
    "VEVENT": {"UID", "DTSTAMP", "DTSTART"},
    "VALARM": {"ACTION", "TRIGGER", "DESCRIPTION"},
    "VTIMEZONE": {"TZID"},
    "STANDARD": {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"},
}  # RFC 5545, 3.6: what each component must have, once
INSIDE = {"": {"VCALENDAR"}, "VCALENDAR": {"VEVENT", "VTIMEZONE"}, "VEVENT": {"VALARM"}, "VTIMEZONE": {"STANDARD"}}
VALUES = {
    **dict.fromkeys(
        ("UID", "SUMMARY", "DESCRIPTION", "CATEGORIES", "TZID", "PRODID"),
        r"(\\[\\;,nN]|[^\x00-\x08\x0a-\x1f\x7f\\;,])*",
    ),
    **dict.fromkeys(("DTSTAMP",), r"\d{8}T\d{6}Z"),
    **dict.fromkeys(("TZOFFSETFROM", "TZOFFSETTO"), r"[+-]\d{4}"),
    "DTSTART": r"\d{8}T\d{6}Z?",
    "TRIGGER": r"-PT\d+H",
    "ACTION": "DISPLAY",
    "VERSION": r"2\.0",
    "CALSCALE": "GREGORIAN",
    "TRANSP": "TRANSPARENT",
}  # 3.3: what their values look like


def check_calendar(data: bytes) -> None:
    """Raise where a file is none that RFC 5545 allows: lines, components one in the other, what each must have, values."""
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    stack: list[tuple[str, list[str]]] = [("", [])]
    for line in unfolded(data):
        name, _, value = line.partition(":")
        if name == "BEGIN":
            assert value in INSIDE[stack[-1][0]], line
            stack[-1][1].append(value)
            stack.append((value, []))
        elif name == "END":
            component, had = stack.pop()
            assert value == component
            assert NEEDED[component] <= set(had)
            assert component != "VCALENDAR" or set(had) & INSIDE[component], "3.6: one component at least"
        else:
            assert re.fullmatch(VALUES[name], value), line
            assert name not in stack[-1][1], f"{name} twice"
            stack[-1][1].append(name)
    assert stack == [("", ["VCALENDAR"])]


@given(st.sets(st.sampled_from(sorted(rules()))), st.text(max_size=60))
def test_every_agenda_is_one_that_rfc_5545_allows(done: set[str], party: str) -> None:
    times = convert({"aware": FRIDAY, "regimes": ALL, "classified": FRIDAY, "done": dict.fromkeys(done, FRIDAY)}, Times)
    now = at("2026-03-06T18:00:00Z")
    found = running(times, now)
    check_calendar(calendar(found, now, [party] * len(found)))
    check_calendar(calendar([each for each in found if each.done], now))


@given(st.text(max_size=300).filter(lambda text: "\x00" not in text))
def test_no_line_is_longer_than_75_octets_nor_cut_in_a_character(reason: str) -> None:
    times = convert({"aware": FRIDAY, "regimes": ALL}, Times)
    found = running(times, at(FRIDAY))
    named = [
        msgspec.structs.replace(each, deadline=msgspec.structs.replace(each.deadline, what=reason)) for each in found
    ]
    data = calendar(named, at(FRIDAY))
    assert all(len(line) <= 75 and line.decode() is not None for line in data.split(b"\r\n"))
    assert all(line.count("\\") or ";" not in line for line in unfolded(data) if line.startswith("SUMMARY"))


def test_the_same_facts_give_the_same_events_so_that_a_second_load_updates() -> None:
    times = convert({"aware": FRIDAY}, Times)
    one, two = (calendar(running(times, at(now)), at(now)) for now in (FRIDAY, "2026-03-08T00:00:00Z"))
    uids = [[line for line in unfolded(data) if line.startswith("UID")] for data in (one, two)]
    assert uids[0] == uids[1]
