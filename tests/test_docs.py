"""The documents say what there is: every refusal, command and setting is named, and every link leads somewhere."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import ecluse
import sim
from ecluse.doors.cli.main import complete
from ecluse.kernel.errors import catalogue
from ecluse.settings import IssuerSettings, Settings, template

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")]


def refusals_written() -> dict[str, tuple[str, ...]]:
    """The table of docs/errors.md: status, title and fix by code."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \| (.+?) \|$", (DOCS / "errors.md").read_text(), re.M)
    return {code: rest for code, *rest in rows}  # type: ignore[misc]


def all_declared() -> None:
    """Import whatever may declare a refusal; the simulator adds commands of its own."""
    for package in (ecluse, sim):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)


def test_every_refusal_is_in_the_table_and_nothing_else_is() -> None:
    all_declared()
    declared = {code: [str(kind.status), kind.title, kind.fix] for code, kind in catalogue().items()}
    assert refusals_written() == declared, "run: python -m tests.test_docs"


def commands(command: Any, name: str) -> Iterator[str]:
    """Every command under one; told by what it has, for typer brings classes of its own in the place of click's."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name
    for each in inner or ():
        yield from commands(inner[each], f"{name} {each}".strip())


def test_the_commands_are_found() -> None:
    assert len([*commands(typer.main.get_command(complete()), "ecluse")]) > 40


@pytest.mark.parametrize("command", [*commands(typer.main.get_command(complete()), "ecluse")])
def test_every_command_is_in_the_operations_page(command: str) -> None:
    assert f"`{command}" in (DOCS / "operations.md").read_text()


def test_the_program_tells_its_version() -> None:
    told = CliRunner().invoke(complete(), ["--version"])
    assert (told.exit_code, told.output.strip()) == (0, ecluse.__version__)


@pytest.mark.parametrize("command", [*commands(typer.main.get_command(complete()), "")])
def test_every_command_explains_itself(command: str) -> None:
    found: Any = typer.main.get_command(complete())
    for word in command.split():
        found = found.commands[word]
    assert found.help
    for parameter in found.params:
        assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), (
            f"{command}: {parameter.name}"
        )


def settings() -> Iterator[str]:
    for section in Settings.__struct_fields__[:-1]:
        for name in getattr(Settings(), section).__struct_fields__:
            yield f"{section}.{name}"
    yield from (f"issuers.{name}" for name in IssuerSettings.__struct_fields__)


@pytest.mark.parametrize("setting", [*settings()])
def test_every_setting_is_in_the_template_and_in_the_operations_page(setting: str) -> None:
    name = setting.partition(".")[2]
    assert re.search(rf"^{name} = ", template(), re.M)
    assert f"`{setting}`" in (DOCS / "operations.md").read_text()


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text() if page.exists() else ""):
            yield page, link


@pytest.mark.parametrize(("page", "link"), [*links()], ids=str)
def test_every_link_leads_somewhere(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_page_is_there(page: Path) -> None:
    assert len(page.read_text()) > 200


def write_table() -> None:
    """Write the table of docs/errors.md anew from the code, under the words above it."""
    all_declared()
    page = DOCS / "errors.md"
    words, mark, _ = page.read_text().partition("| code | HTTP | what | what to do |")
    rows = [f"| `{code}` | {kind.status} | {kind.title} | {kind.fix} |" for code, kind in catalogue().items()]
    page.write_text("\n".join([words + mark, "|---|---|---|---|", *rows]) + "\n")


if __name__ == "__main__":
    write_table()
