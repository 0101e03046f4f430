"""`ecluse bench`: every bench with its budget and its peer; those that ask for more software say what is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bench.__main__ import BENCHES
from ecluse.doors.cli.screen import OUT, Json, bar, print_json
from ecluse.kernel.errors import refusal

HERE = Path(__file__).parent
SEEDS_MAX = 1_000  # an hour of one core

BENCH_UNKNOWN = refusal("bench_unknown", 404, "No such bench", fix="`ecluse bench` lists those there are.")
PEER_MISSING = refusal(
    "bench_peer_missing",
    409,
    "This bench compares with software that is not installed",
    fix="`make bench` in a copy of the source installs the peers.",
)


def add_to(commands: typer.Typer) -> None:
    """Add `ecluse bench` to the hub's commands."""
    commands.command("bench", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A bench; without it, what there is.")] = "",
    seeds: Annotated[int, typer.Option(min=1, max=SEEDS_MAX, help="Of `gate`: thefts of each kind.")] = 100,
    json: Json = False,
) -> None:
    """Measure one promise of the hub, beside its budget and a peer; without NAME, list the benches.

    Exit code 1 where a budget is missed. More options of a bench go after its name, as `ecluse bench detectors --years 100`.
    """
    if not name:
        _list(json=json)
        return
    if name not in BENCHES:
        raise BENCH_UNKNOWN(f"{name[:40]!r}: there is {', '.join(BENCHES)}")
    if missing := sorted(_missing(name)):
        raise PEER_MISSING(f"{name} needs {', '.join(missing)}")
    if name == "gate":
        from bench import gate

        words = [f"--seeds={seeds}", *["--json"] * json, *context.args]
        with bar("Vols", quiet=json) as told:
            code = gate.main(words, told)
    else:
        command = [sys.executable, "-m", f"bench.{name}", *["--json"] * json, *context.args]
        code = subprocess.run(command, check=False).returncode
    if code:
        raise typer.Exit(code)


def _list(*, json: bool) -> None:
    found = [{"name": name, "about": _about(name), "missing": sorted(_missing(name))} for name in BENCHES]
    if json:
        print_json(found)
        return
    for each in found:
        lacks = f" [yellow](needs {', '.join(each['missing'])})[/]" if each["missing"] else ""
        OUT.print(f"[bold]{each['name']:<10}[/] {each['about']}{lacks}", highlight=False, soft_wrap=True)


def _tree(name: str) -> ast.Module:
    return ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))


def _about(name: str) -> str:
    return (ast.get_docstring(_tree(name)) or name).splitlines()[0]


def _missing(name: str) -> set[str]:
    """Packages that the bench, or what it takes from its own kind, imports and nobody installed; `tests` is the source's own."""
    found: set[str] = set()
    for node in ast.walk(_tree(name)):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        found |= {each.split(".")[0] for each in names}
    return {each for each in found if find_spec(each) is None}
