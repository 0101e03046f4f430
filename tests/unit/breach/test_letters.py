"""Letters from what the journal proves: every set of fields gives a letter that may be sent, to whom it may be sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.letter import Letter, lint, rules
from ecluse.breach.letters.address import Contacts, is_minor
from ecluse.breach.letters.compose import PLACES, Shape, body, days, filled, linted, plain_text
from ecluse.breach.letters.pack import PACK_INVALID, About, Sender, about, read_row, read_sender, read_shared
from ecluse.breach.letters.words import actions, denied, words
from ecluse.doors.letters.page import fill, page
from ecluse.formats.contacts import Contact, read_contacts
from ecluse.formats.feed.file import RowRefusal
from ecluse.kernel.errors import Refused
from tests import packs
from tests.laws import examples

FIELDS = frozenset(rules().fields)
OF_PERSONS = FIELDS - {"siret", "login"}
TYPED = {"birth_date", "birth_rank", "national_number", "member_number"}
KNOWN = (
    "La personne qui s'est servie du compte devait déjà avoir votre numéro de sécurité sociale ou d'adhérent "
    "et votre date de naissance. "
    "Une réponse positive lui a confirmé qu'ils étaient justes."
)
ABOUT = About(
    incident="INC-1", insurer="0075123456", since=date(2024, 1, 28), until=date(2024, 2, 1), operator="Écluse",
    known_before=KNOWN, measures=("Nous avons fermé le compte.", "Nous avons prévenu la CNIL."), dpo="Anne Petit",
    phone="01 23 45 67 89", sender=Sender(name="la Mutuelle des Bateliers", check_at="mutuelle.example/lettre"),
)  # fmt: skip
VALUES = {"greeting": "Madame Martin", "child": "Alix", "when": days(date(2024, 1, 30), date(2024, 1, 30)),
          "times": "une fois", "code": "ABCD-ABCD-ABCD-ABCD-ABCD"}  # fmt: skip
READER = ("un compte d'opticien, dans le département 37",)

# What answers of the hub tell, in the words of letters: each goes out with the others of its group.
GROUPS = ({"insurer"}, {"third_party_payment"}, {"covered_until"}, {"guarantee"}, {"reimbursement", "health"},
          {"health"}, {"domains"}, {"member_number", "birth_date", "birth_rank"})  # fmt: skip


def told() -> Iterator[frozenset[str]]:
    for chosen in product((False, True), repeat=len(GROUPS)):
        shown = frozenset().union(*(group for group, there in zip(GROUPS, chosen, strict=True) if there))
        if shown:
            yield shown


def test_every_set_of_fields_that_the_hub_can_tell_gives_a_letter_that_may_be_sent() -> None:
    for at, shown in enumerate({*told()}):
        shape = Shape("person", shown, OF_PERSONS - shown - TYPED, READER, at % 2 == 0, at % 3 == 0)
        answer = linted(body(shape, ABOUT), shape, VALUES)
        assert (answer.ok, answer.findings, answer.advice) == (True, (), ())


@examples(30)
@given(
    st.frozensets(st.sampled_from(sorted(OF_PERSONS)), min_size=1),
    st.frozensets(st.sampled_from(sorted(OF_PERSONS))),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
def test_any_set_of_fields_gives_a_letter_that_may_be_sent(
    shown: frozenset[str], proved: frozenset[str], care: bool, child: bool, readers: int
) -> None:
    shape = Shape("person", shown, proved - shown, READER * readers, care, child)
    answer = linted(body(shape, ABOUT), shape, VALUES)
    assert answer.ok
    assert 1 <= answer.actions <= 5


@examples(30)
@given(st.frozensets(st.sampled_from(["bank", "siret", "email", "phone", "address", "identity", "login"]), min_size=1))
def test_any_set_of_a_professionals_own_fields_too(shown: frozenset[str]) -> None:
    shape = Shape("professional", shown, frozenset({"health", "national_number", "password"}), (), False, False)
    assert linted(body(shape, ABOUT), shape, VALUES).ok


def test_a_letter_that_a_stated_sentence_spoils_is_not_made() -> None:
    spoilt = msgspec.structs.replace(ABOUT, measures=("À ce stade, nous avons prévenu la CNIL.",))
    with pytest.raises(Refused, match="no_evidence"):
        body(Shape("person", frozenset({"insurer"}), frozenset(), (), False, False), spoilt)


def test_the_name_of_the_insurer_is_not_taken_for_the_persons_own() -> None:
    text = "Ce qui a été vu :\n- le nom de votre mutuelle"
    found = lint(Letter(text=text, shown=["insurer"])).findings
    assert not [each for each in found if each.rule.startswith("field")]


def test_the_most_urgent_action_comes_first_and_five_are_enough() -> None:
    assert "banque" in actions("person", frozenset({"bank", "phone"}), child=False)[0]
    assert len(actions("person", OF_PERSONS, child=False)) == 5
    assert len(actions("professional", FIELDS, child=False)) == 5


def test_every_field_that_was_seen_is_said_and_none_that_is_not_proved_is_denied() -> None:
    assert words().phrases.keys() == FIELDS
    assert denied(["bank", "domains"]) == ["bank"]


def test_a_name_is_never_markup_nor_a_place() -> None:
    shape = Shape("person", frozenset({"insurer"}), frozenset(), (), False, False)
    blocks = body(shape, ABOUT).blocks
    values = {**VALUES, "greeting": "<b>Madame</b> O'Neil & fils"}
    assert "&lt;b&gt;Madame&lt;/b&gt; O&#x27;Neil &amp; fils" in fill(page("Titre", (), blocks), values)
    assert "<b>Madame</b> O'Neil & fils" in filled(plain_text(blocks), values)
    sent = f"{packs.HEADER}\n1001,1971-03-04,1,Mme,{PLACES['code']},J,1 rue,37000,TOURS,,,,\n"
    assert [each.code for each in read_contacts(sent.splitlines(), ()) if isinstance(each, RowRefusal)] == [
        "contact_text_invalid"
    ]


def test_the_page_can_be_heard_and_has_no_link() -> None:
    blocks = body(Shape("person", frozenset({"insurer"}), frozenset({"bank"}), (), False, False), ABOUT).blocks
    html = fill(page("Titre", ("Mutuelle",), blocks), VALUES)
    assert '<html lang="fr">' in html
    assert (html.count("<h1>"), html.count("<ul>"), html.count("<ol>")) == (1, 2, 1)
    assert not {"<a ", "<script", "http", "<img"} & {
        each for each in ("<a ", "<script", "http", "<img") if each in html
    }


def contacts(*lines: str) -> list[Contact | RowRefusal]:
    return [
        *read_contacts([f"{line}\n" for line in (packs.HEADER, *lines)], {line.partition(",")[0] for line in lines})
    ]


TODAY = date(2026, 11, 29)


def written_to(number: str, born: str, rank: int = 1, *more: str) -> tuple[str, bool]:
    rows = [each for each in contacts(*packs.CONTACTS, *more) if isinstance(each, Contact)]
    person = read_row(msgspec.json.encode(packs.row(number, born, rank)))
    found = Contacts(rows, TODAY).addressee(person)
    return found.to.first_name, found.child


def test_an_adult_is_written_to_in_their_name_and_a_minor_through_the_holder() -> None:
    assert written_to("1001", "1971-03-04") == ("Jeanne", False)
    assert written_to("1001", "2015-09-30") == ("Jeanne", True)
    assert written_to("1003", "2012-01-01", 2) == ("Kemal", True)


@pytest.mark.parametrize(
    ("person", "more", "code"),
    [
        (("9", "1971-03-04", 1), [], "contact_unknown"),
        (("1004", "2020-01-01", 1), ["1004,2020-01-01,1,,Seul,Tom,1 rue,37000,TOURS,,,,"], "holder_unknown"),
        (("1001", "2015-09-30", 1), ["1001,1970-01-01,1,M.,Diaz,Luc,1 rue,37000,TOURS,,,,"], "holder_unclear"),
    ],
)
def test_nobody_is_written_to_by_guess(person: tuple[str, str, int], more: list[str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        written_to(*person, *more)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("born", "minor"),
    [("2008-11-29", False), ("2008-11-30", True), ("2008-00-00", True), ("2007-00-00", False), ("2008-13-40", True)],
)
def test_an_age_is_counted_to_the_day_and_in_doubt_as_a_minors(born: str, minor: bool) -> None:
    assert is_minor(born, TODAY) is minor


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("1,1971-03-04,1,Mme,Martin,,1 rue,37000,TOURS,,,,", "first_name", "contact_missing"),
        ("1,1971-3-4,1,Mme,Martin,Jo,1 rue,37000,TOURS,,,,", "birth_date", "birth_date_invalid"),
        ("1,1971-03-04,0,Mme,Martin,Jo,1 rue,37000,TOURS,,,,", "birth_rank", "birth_rank_invalid"),
        ("1,1971-03-04,1,Dr,Martin,Jo,1 rue,37000,TOURS,,,,", "civility", "civility_invalid"),
        ("1,1971-03-04,1,Mme,Martin,Jo,1 rue,3700,TOURS,,,,", "postcode", "postcode_invalid"),
        ("1,1971-03-04,1,Mme,Martin,Jo,1 rue,37000,TOURS,é!,,,", "holder_member_number", "contact_number_invalid"),
        ("1,1971-03-04,1,Mme,Mar\x07tin,Jo,1 rue,37000,TOURS,,,,", "last_name", "contact_text_invalid"),
        ("1,1971-03-04,1,Mme,Martin,Jo,1 rue,37000,TOURS,,,a@b@c.fr,", "email", "email_invalid"),
        ("1,1971-03-04,1,Mme,Martin,Jo,1 rue,37000,TOURS,,,,français", "language", "language_invalid"),
        ("1,1971-03-04,1,Mme,Martin,Jo,1 rue,37000,TOURS,,1971,,", "holder_birth_date", "birth_date_invalid"),
        (packs.CONTACTS[0], "member_number", "contact_repeated"),
        ("1,1971-03-04,1", "", "contacts_invalid"),
    ],
)
def test_every_bad_row_is_told_by_line_column_code_and_fix(line: str, column: str, code: str) -> None:
    found = contacts(packs.CONTACTS[0], line, packs.CONTACTS[2])
    refused = found[1]
    assert isinstance(refused, RowRefusal)
    assert (refused.line, refused.column, refused.code) == (3, column, code)
    assert refused.fix
    assert isinstance(found[2], Contact)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2", b"\xff\xfe", packs.HEADER.replace("city", "ville").encode()])
def test_what_is_no_list_of_contacts_is_refused_whole(content: bytes) -> None:
    with pytest.raises(Refused, match="contacts_invalid"):
        [*read_contacts(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig"), ())]


def test_only_rows_that_are_wanted_are_kept_but_every_bad_one_is_told() -> None:
    lines = [packs.HEADER, *packs.CONTACTS, "7,x,1,,A,B,1 rue,37000,TOURS,,,,"]
    found = [*read_contacts(lines, {"1002"})]
    assert [each.member_number if isinstance(each, Contact) else each.code for each in found] == [
        "1002",
        "birth_date_invalid",
    ]


def test_what_a_letter_must_say_is_asked_for_by_name() -> None:
    shared = read_shared(msgspec.json.encode({**packs.SHARED, "phone": None, "dpo_contact": None}))
    with pytest.raises(Refused, match="pack_incomplete: nobody stated dpo_contact, phone"):
        about(shared, Sender())
    assert about(shared, read_sender(b'phone = "01 02 03 04 05"\ndpo_contact = "Anne"')).phone == "01 02 03 04 05"


@pytest.mark.parametrize(
    "change", [{"shown": ["colour"]}, {"shown": []}, {"times": 0}, {"reference": ""}, {"member_number": "9" * 65}]
)
def test_a_row_that_cannot_be_merged_stops_the_run(change: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        read_row(msgspec.json.encode({**packs.row("1", "1971-03-04"), **change}))
    assert refused.value.refusal is PACK_INVALID
