"""Nobody reads about a person without an admission: the table of reads is whole, and no store's method goes around the gate."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import typer
from litestar.handlers import HTTPRouteHandler

from ecluse.doors.cli.main import complete
from ecluse.doors.http.app import HANDLERS, PORTAL
from ecluse.journal.entry import Operation
from tests.test_docs import DOCS, commands
from tests.test_tidy import Source, functions, parse, sources

# What tells of a person, as ports give it.
OF_A_PERSON = frozenset({"Right", "Engagement", "Claim", "Approval", "Summary", "Entry", "Table"})
# Methods that give such a thing to whoever hands in what was admitted before: the same claim or devis, decided on and kept.
DECIDED = frozenset({"take", "ask"})


def calls() -> Iterator[str]:
    for handler in [*HANDLERS, *PORTAL]:
        assert isinstance(handler, HTTPRouteHandler)
        for path in handler.paths:
            yield from (
                f"{method} {re.sub(r':[a-z]+}', '}', path)}" for method in handler.http_methods if method != "HEAD"
            )


def told() -> str:
    """The section of docs/security.md."""
    page = (DOCS / "security.md").read_text(encoding="utf-8")
    return page.partition("## Who reads about a person")[2].partition("\n## ")[0]


def reads() -> dict[str, str]:
    """Each read of the first table, and the operation its entry has."""
    rows = re.findall(r"^\| (`.+`) \| [^|]+ \| `([a-z_]+)` \|$", told(), re.M)
    return {read: operation for names, operation in rows for read in re.findall(r"`([^`]+)`", names)}


def program() -> list[str]:
    return [*commands(typer.main.get_command(complete()), "ecluse"), "ecluse exposure", *calls()]


@pytest.mark.parametrize("name", program())
def test_every_command_and_call_says_whether_it_reads_about_a_person(name: str) -> None:
    assert f"`{name}`" in told(), "a new way in: say in docs/security.md what of a person it shows, and its entry"


def test_the_table_names_nothing_that_is_not_there() -> None:
    named = set(re.findall(r"`((?:GET|POST|DELETE|ecluse) [^`]+)`", told())) - {
        "ecluse exposure --lists",
        "ecluse exposure --proofs",
    }
    assert named == set(program())


def test_each_read_has_an_operation_of_the_journal() -> None:
    assert len(reads()) == 34
    assert set(reads().values()) <= set(Operation)


def unadmitted(source: Source) -> Iterator[str]:
    """Methods of ports that give a person's data and demand no `Admission`."""
    for method in functions(source):
        given = (
            {each.id for each in ast.walk(method.returns) if isinstance(each, ast.Name)} if method.returns else set()
        )
        given |= (
            {each.attr for each in ast.walk(method.returns) if isinstance(each, ast.Attribute)}
            if method.returns
            else set()
        )
        demanded = {ast.unparse(each.annotation) for each in method.args.args if each.annotation}
        if given & OF_A_PERSON and "Admission" not in demanded and method.name not in DECIDED:
            yield source.says(
                method, f"{method.name} gives {sorted(given & OF_A_PERSON)}", "nobody reads who was not admitted"
            )


def test_no_port_gives_a_persons_data_without_an_admission() -> None:
    ports = [each for each in sources("src") if each.path.startswith("src/ecluse/app/ports/")]
    assert not [failure for source in ports for failure in unadmitted(source)]


@pytest.mark.parametrize(
    "method",
    [
        "async def all(self) -> list[Right]: ...",
        "def every(self, insurer: str) -> Iterator[Entry]: ...",
        "def look(self, name: str) -> pa.Table: ...",
        "async def page(self, search: Search) -> tuple[Summary, int]: ...",
    ],
)
def test_a_method_that_goes_around_the_gate_is_seen(method: str) -> None:
    assert [*unadmitted(parse("src/ecluse/app/ports/x.py", f"class X:\n    {method}"))]
