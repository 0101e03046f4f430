"""Who looked, as a member reads it: once each, with what is known of care that was paid, and nothing said that is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ecluse.breach.letters.compose import plain_text
from ecluse.breach.letters.looks import Looked, against, blocks, looked_at, title
from ecluse.breach.letters.pack import Sender
from ecluse.formats.opening_list import OpeningRow, Settled, openings_as_csv, read_openings, read_settled
from ecluse.journal.entry import FORMAT, Entry, Field, Operation
from ecluse.kernel.errors import Refused

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SENDER = Sender(name="la Mutuelle", phone="01 23 45 67 89", dpo_contact="Anne Petit")
MEMBER = ("M1", "1979-06-14", 1)
PLACE = "370000028"


def row(opening: str = "opn_1", at: datetime = NOW - timedelta(days=40), **changes: Any) -> OpeningRow:
    told = OpeningRow(
        opening, *MEMBER, "8f" * 16, at.isoformat(), "pharmacy", PLACE, "rights_check", "outcome covered_until", "typed"
    )
    return msgspec.structs.replace(told, **changes)


def only(*rows: OpeningRow, paid: list[Settled] | None = None) -> Looked:
    (found,) = looked_at(rows, paid, NOW, 30)
    return found


@pytest.mark.parametrize(
    ("days_ago", "paid", "said"),
    [
        (40, None, "unknown"),
        (40, [], "no"),
        (30, [], "not_yet"),
        (40, [(PLACE, 0)], "yes"),
        (40, [(PLACE, 30)], "yes"),
        (40, [(PLACE, 31)], "no"),
        (40, [(PLACE, -1)], "no"),
        (40, [("370000036", 3)], "no"),
    ],
)
def test_whether_care_was_paid(days_ago: int, paid: list[tuple[str, int]] | None, said: str) -> None:
    at = NOW - timedelta(days=days_ago)
    claims = (
        None if paid is None else [Settled(MEMBER, place, at.date() + timedelta(days=after)) for place, after in paid]
    )
    found = only(row(at=at), paid=claims)
    assert found.looks[0].paid == said
    text = plain_text(blocks(found, SENDER))
    words = {
        "yes": "oui, nous avons payé",
        "no": "aucun soin de ce lieu jusqu'au",
        "not_yet": "pas encore",
        "unknown": "nous ne le savons pas",
    }
    assert words[said] in text.partition("Soin payé : ")[2].partition("\n")[0]


def test_the_newest_is_first_and_what_was_told_twice_stands_once() -> None:
    later = row("opn_2", NOW - timedelta(days=1), presence="live", operation="claim", practice="", profession="")
    found = only(row(), later, row())
    assert [(each.number, each.opening) for each in found.looks] == [(2, "opn_2"), (1, "opn_1")]
    text = plain_text(blocks(found, SENDER))
    assert "N° 2 : le 29 novembre 2026 à 13 h 00\n- Qui : un compte de professionnel de santé\n" in text
    assert "une facture, avec votre laissez-passer, montré sur place" in text
    assert "une demande de droits, sans votre laissez-passer : votre numéro a été tapé" in text
    assert "la date de fin de vos droits" in text
    assert text.index("N° 2") < text.index("N° 1")


def test_a_childs_page_speaks_of_the_child() -> None:
    found = only(row(birth_date="2015-09-30"))
    assert title(found) == "Qui a consulté les droits de votre enfant"
    text = plain_text(blocks(found, SENDER))
    assert "aux droits de votre enfant" in text
    assert "sans son laissez-passer : son numéro a été tapé" in text


def test_who_was_forgotten_has_no_page_and_a_page_says_whom_to_call() -> None:
    assert [*looked_at([row(member_number="unknown", birth_date="unknown", birth_rank=0)], None, NOW, 30)] == []
    for without in ("name", "phone", "dpo_contact"):
        with pytest.raises(Refused, match="sender_incomplete"):
            blocks(only(row()), msgspec.structs.replace(SENDER, **{without: ""}))


def entry(at: datetime, account: str = "rpps:1", practice: str = PLACE, engagement: str = "") -> Entry:
    ts_us, person = int(at.timestamp() * 1_000_000) + 400_000, bytes.fromhex("8f" * 16)
    said = (account, practice, "0075123456", person, 0, Field.OUTCOME.value, "confirmed", engagement, "chk_1", b"", b"")
    return Entry(FORMAT, ts_us, Operation.CLAIM if engagement else Operation.RIGHTS_CHECK, *said)


AT = NOW - timedelta(days=40)
BEFORE, AFTER = AT - timedelta(days=1), NOW


@pytest.mark.parametrize(
    ("entries", "since", "whole"),
    [
        ([entry(AT)], BEFORE, "proved"),
        ([entry(AT), entry(NOW - timedelta(days=3))], BEFORE, "proved"),  # again by the same account is no first look
        ([entry(AT), entry(AT, "rpps:2", engagement="eng_1")], BEFORE, "proved"),  # under an engagement neither
        ([entry(AT), entry(AT, "rpps:2")], BEFORE, "differs"),  # the journal has one that nobody told
        ([], BEFORE, "differs"),  # the feed has one that the journal has not
        ([entry(AT, practice="370000036")], BEFORE, "differs"),
        ([entry(AT)], AT + timedelta(hours=1), "differs"),  # it begins later than the feed
    ],
)
def test_what_the_journal_proves_is_held_against_the_feed(entries: list[Entry], since: datetime, whole: str) -> None:
    window = (int(each.timestamp() * 1_000_000) for each in (since, AFTER))
    found = against(only(row()), entries, *window)
    assert found.whole == whole
    text = plain_text(blocks(found, SENDER))
    assert ("il n'y a pas eu d'autre accès" in text) == (whole == "proved")
    assert ("ne dit pas la même chose" in text) == (whole == "differs")


def test_files_read_back_and_what_is_none_is_refused() -> None:
    rows = [row(), row("opn_2", birth_rank=0, member_number="unknown", fields="outcome bit_40")]
    content = openings_as_csv(rows)
    assert [*read_openings(content)] == rows
    for wrong in (
        b"",
        content.replace(b"opening,", b"id,", 1),
        content.replace(b"outcome covered", b"colour covered"),
        content.replace(b"8f8f", b"8f", 1),
        content.replace(NOW.isoformat()[:4].encode(), b"soon", 1),
        content + b"x\r\n",
        b"\xff",
    ):
        with pytest.raises(Refused, match="openings_invalid"):
            [*read_openings(wrong)]
    paid = b"member_number,birth_date,birth_rank,practice,on\nM1,1979-06-14,1,370000028,2026-11-02\n"
    assert [*read_settled(paid)] == [Settled(MEMBER, PLACE, date(2026, 11, 2))]
    for wrong in (
        paid.replace(b"2026-11-02", b"soon"),
        paid.replace(b",1,3", b",x,3"),
        paid.replace(b"on\n", b"day\n"),
    ):
        with pytest.raises(Refused, match="settled_invalid"):
            [*read_settled(wrong)]
