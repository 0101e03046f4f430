"""The table of checks, put to DuckDB as in life: what each column refuses, and on which line it says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecluse.engines.duckdb.member_file import MemberFile
from ecluse.formats.feed.checks import BESIDE, CHECKS, LINE_BLANK, LINE_SHAPE, Check
from ecluse.formats.feed.file import Checked, Mode, Standing, Terms
from ecluse.formats.feed.header import CHANGE, COLUMNS
from ecluse.kernel.errors import Refused
from ecluse.kernel.ids import nir, nir_key
from tests.laws import examples

AMC = "0075123456"
TODAY = date(2026, 6, 1)
BODY = "1790675056123"
GOOD = dict(
    zip(
        COLUMNS,
        (AMC, "M1", BODY + nir_key(BODY), "1979-06-14", "1", "C1", "ESS", "MED PHAR", "2026-01-01",
         "2026-12-31", "SV", "0001", "true", "1"),
        strict=True,
    )
)  # fmt: skip


def check(folder: Path, text: str, mode: Mode = Mode.FULL, *, drop_unknown: bool = False) -> Checked:
    path = folder / "feed.csv"
    path.write_text(text)
    with MemberFile(path) as file:
        file.survey(lambda *_: None)
        return file.check(Terms(AMC, mode, frozenset({"ESS"}), TODAY, drop_unknown))


def lines(*rows: dict[str, str]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


BAD = [
    ("insurer", "0075123457", "insurer_other"),
    ("insurer", "75123456", "insurer_other"),
    ("member_number", "", "member_number_invalid"),
    ("member_number", "M|1", "member_number_invalid"),
    ("member_number", "M" * 41, "member_number_invalid"),
    ("nir", "", "nir_invalid"),
    ("nir", BODY, "nir_invalid"),
    ("nir", f"{BODY}00", "nir_key_wrong"),
    ("nir", "279067505612358", "nir_key_wrong"),
    ("nir", f" {BODY}{nir_key(BODY)}", "nir_invalid"),
    ("birth_date", "14/06/1979", "birth_date_invalid"),
    ("birth_date", "1779-06-14", "birth_date_invalid"),
    ("birth_rank", "0", "birth_rank_invalid"),
    ("contract", "", "contract_invalid"),
    ("product", "OTHER", "product_unknown"),
    ("domains", "", "domains_invalid"),
    ("domains", "MED  PHAR", "domains_invalid"),
    ("domains", "MED MED", "domains_invalid"),
    ("domains", "MED XXXX", "domains_invalid"),
    ("valid_from", "", "valid_from_invalid"),
    ("valid_from", "2026-02-30", "valid_from_invalid"),
    ("valid_from", "1026-01-01", "valid_from_invalid"),
    ("valid_to", "2026-13-31", "valid_to_invalid"),
    ("valid_to", "2025-12-31", "dates_inverted"),
    ("convention_type", "TOO-LONG-ONE", "convention_type_invalid"),
    ("csr", "é", "csr_invalid"),
    ("responsible", "oui", "responsible_invalid"),
    ("priority", "10", "priority_invalid"),
]


def test_a_good_row_passes(tmp_path: Path) -> None:
    assert check(tmp_path, lines(GOOD)) == Checked(1, 0, (), 0, Standing(now=1, then=1))


@pytest.mark.parametrize(
    ("column", "value"), [("valid_to", ""), ("valid_to", "9999-12-31"), ("birth_date", "1979-14-31"), ("csr", "")]
)
def test_what_looks_odd_and_is_right(tmp_path: Path, column: str, value: str) -> None:
    assert check(tmp_path, lines({**GOOD, column: value})).refusals == ()


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """What is said of one file: a good row, then every bad value in a row of its own."""
    return check(tmp_path_factory.mktemp("bad"), lines(GOOD, *({**GOOD, column: value} for column, value, _ in BAD)))


@pytest.mark.parametrize(("line", "column", "value", "code"), [(at, *each) for at, each in enumerate(BAD, start=3)])
def test_a_bad_value_is_refused_on_its_line(bad: Checked, line: int, column: str, value: str, code: str) -> None:
    [found] = [each for each in bad.refusals if each.line == line]
    assert (found.column, found.code) == (column, code)
    assert len(value) < 3 or value not in found.detail + found.fix


def test_each_bad_value_refuses_one_row_once(bad: Checked) -> None:
    assert (bad.rows, bad.refused_rows, bad.refusals_total) == (1 + len(BAD), len(BAD), len(BAD))
    assert len(bad.refusals) == len(BAD)


@pytest.mark.parametrize(
    ("mode", "change", "codes"),
    [
        (Mode.FULL, {CHANGE: ""}, []),
        (Mode.FULL, {CHANGE: "set"}, ["change_unexpected"]),
        (Mode.DELTA, {CHANGE: "set"}, []),
        (Mode.DELTA, {CHANGE: ""}, ["change_invalid"]),
        (Mode.DELTA, {CHANGE: "end"}, []),
        (Mode.DELTA, {CHANGE: "end", "valid_to": ""}, ["end_without_day"]),
    ],
)
def test_change_belongs_to_deltas(tmp_path: Path, mode: Mode, change: dict[str, str], codes: list[str]) -> None:
    assert [each.code for each in check(tmp_path, lines({**GOOD, **change}), mode).refusals] == codes


def test_lines_keep_their_numbers_past_lines_that_are_no_rows(tmp_path: Path) -> None:
    bad = ",".join({**GOOD, "priority": "0"}.values())
    good = ",".join(GOOD.values())
    text = "\n".join([",".join(COLUMNS), bad, "", good, "too,short", bad, good + ",more", "", bad]) + "\n\n"
    found = check(tmp_path, text)
    assert [(each.line, each.code) for each in found.refusals] == [
        (2, "priority_invalid"),
        (3, LINE_BLANK.code),
        (5, LINE_SHAPE.code),
        (6, "priority_invalid"),
        (7, LINE_SHAPE.code),
        (8, LINE_BLANK.code),
        (9, "priority_invalid"),
    ]
    assert (found.rows, found.refused_rows, found.refusals_total) == (8, 7, 7)


def test_columns_come_in_any_order_and_values_may_be_quoted(tmp_path: Path) -> None:
    turned = dict(reversed(GOOD.items()))
    quoted = {name: f'"{value}"' for name, value in turned.items()}
    text = ",".join(turned) + "\r\n" + ",".join(quoted.values()) + "\r\n"
    assert check(tmp_path, text) == Checked(1, 0, (), 0, Standing(now=1, then=1))


def test_every_refusal_is_counted_and_few_are_kept(tmp_path: Path) -> None:
    bad = ",".join({**GOOD, "priority": "0", "csr": "é"}.values())
    found = check(tmp_path, ",".join(COLUMNS) + "\n" + f"{bad}\n" * 20_000)
    assert (found.refused_rows, found.refusals_total, len(found.refusals)) == (20_000, 40_000, 10_000)


@pytest.mark.parametrize("wrong", [None, "cut", "typed", "integer"])
def test_parquet_is_read_as_csv_is(tmp_path: Path, wrong: str | None) -> None:
    path = tmp_path / "feed.parquet"
    typed = {
        "valid_from": "DATE '2026-01-01'",
        "responsible": "true",
        "priority": "1::TINYINT",
        "valid_to": "NULL::DATE",
    }
    columns = {name: typed.get(name, f"'{value}'") for name, value in GOOD.items()}
    if wrong == "integer":
        columns["nir"] = f"{GOOD['nir']}::BIGINT"
    picked = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    duckdb.sql(f"COPY (SELECT {picked} FROM range(3)) TO '{path}'")
    if wrong == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    with MemberFile(path) as file:
        if wrong in ("cut", "integer"):
            with pytest.raises(Refused) as refused:
                _read(file)
            assert refused.value.code == {"cut": "parquet_unreadable", "integer": "column_type"}[wrong]
            return
        terms = _read(file)
        rows = [row for some in file.rows(terms, 1) for row in some]
    assert rows == [
        (GOOD["nir"], "1979-06-14", 1, "M1", "C1", "ESS", "MED PHAR", "2026-01-01", "9999-12-31", "SV", "0001", True, 1, False)
    ] * 2  # fmt: skip


def _read(file: MemberFile) -> Terms:
    terms = Terms(AMC, Mode.FULL, frozenset({"ESS"}), TODAY)
    file.survey(lambda *_: None)
    assert file.check(terms).rows == 3
    return terms


NIR_CHECKS = [each for each in CHECKS if each.column == "nir"]


@examples(200)
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[0-9]([0-9]{4})(2A|2B|[0-9]{2})[0-9]{8}", fullmatch=True),
            st.from_regex(
                r"[1-478][0-9]{2}(0[1-9]|1[0-2]|20|3[0-9]|4[0-2]|[5-9][0-9])(2A|2B|[0-9]{2})[0-9]{6}", fullmatch=True
            ).map(lambda body: body + nir_key(body)),
            st.text(max_size=16),
        ),
        max_size=40,
    )
)
@example(["1790620056123" + nir_key("1790620056123"), "17906" + "2A056123" + nir_key("179062A056123")])
def test_sql_and_kernel_accept_the_same_nirs(texts: list[str]) -> None:
    """For numbers in canonical form: the kernel also takes spaces and small letters, which a file may not have."""
    texts = [
        text
        for text in texts
        if text == text.replace(" ", "").replace("\u00a0", "").replace("\u202f", "").replace("\t", "").upper()
    ]
    wrong = " OR ".join(f"({each.wrong})" for each in NIR_CHECKS)
    asked = f"SELECT nir, {wrong} FROM (SELECT unnest($nirs::VARCHAR[]) AS nir)"
    found = DUCK.execute(asked, {"nirs": texts}).fetchall()
    assert found == [(text, not _accepted(text)) for text in texts]


def _accepted(text: str) -> bool:
    try:
        nir(text)
    except Refused:
        return False
    return True


DUCK = duckdb.connect(":memory:")


def test_every_code_is_explained_in_the_documentation() -> None:
    written = Path("docs/feeds.md").read_text()
    table: list[Check] = [*CHECKS, *BESIDE.values(), LINE_BLANK, LINE_SHAPE]
    assert [each.code for each in table if f"`{each.code}`" not in written] == []
