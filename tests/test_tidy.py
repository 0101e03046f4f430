"""The house's own rules, as an ordinary test: what may import what, how long things are, what is never called.

Each failure says the file, the line, the rule and why. To change a rule, change its table here and say why in the commit.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]

# ---------------------------------------------------------------------------------------------------- the arrow of imports

DOMAIN = frozenset(
    {"rights", "coverage", "claims", "payments", "gate", "journal", "formats", "exposure", "breach", "passes"}
)
BELOW_DOMAIN = frozenset({"rules", "kernel"})
PURE = DOMAIN | BELOW_DOMAIN

# Package of `ecluse` → the packages of `ecluse` it may import, its own aside. The order inside the domain is in DOMAIN_ORDER.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "kernel": frozenset(),
    "rules": frozenset({"kernel"}),
    **dict.fromkeys(DOMAIN, PURE),
    "settings": frozenset({"kernel", "gate"}),
    "app": PURE,
    # An engine knows the port it implements and the `Admission` its methods ask for, not the use cases.
    "engines": PURE | {"app.ports", "app.access"},
    # A door opens the hub through wiring, never an engine by name.
    "doors": PURE | {"app", "wiring", "settings"},
    "wiring": PURE | {"app", "engines", "settings"},  # the only place that knows both sides
}
# Domain packages that others must not look back at: who is computed with does not know who computes.
DOMAIN_ORDER = (
    ("rights", frozenset({"coverage", "claims", "payments", "breach", "exposure"})),
    ("coverage", frozenset({"claims", "payments", "gate", "journal", "formats", "breach", "exposure"})),
    ("journal", frozenset({"claims", "payments", "coverage", "breach", "exposure"})),
)
# Outside libraries that speak to the world → the packages that may import them.
DRIVERS: dict[str, frozenset[str]] = {
    "sqlite3": frozenset({"engines"}),
    "duckdb": frozenset({"engines", "formats"}),  # reads and checks member files, which are a format
    "asyncpg": frozenset({"engines"}),
    "sqlalchemy": frozenset({"engines"}),
    "alembic": frozenset({"engines"}),
    "psycopg": frozenset({"engines"}),
    "pyrage": frozenset({"engines"}),
    "typst": frozenset({"engines"}),
    "reportlab": frozenset({"engines"}),
    "pyarrow": frozenset({"engines", "formats"}),
    "socket": frozenset({"engines", "doors"}),
    "subprocess": frozenset({"engines"}),
    "litestar": frozenset({"doors"}),
    "uvicorn": frozenset({"doors"}),
    "typer": frozenset({"doors"}),
    "rich": frozenset({"doors"}),
    "random": frozenset(),  # the product draws from `secrets`, and in engines only
    "secrets": frozenset({"engines"}),
}

# ------------------------------------------------------------------------------------------------------------ lengths, names

FILE_LINES_MAX, FILE_LINES_MEDIAN = 400, 150
FUNCTION_LINES_MAX, FUNCTION_LINES_MEDIAN = 50, 12
BANNED_NAMES = ("utils", "helpers", "common", "manager", "service")  # names that say nothing of what is inside

# -------------------------------------------------------------------------------------------------------------- banned calls

# Call, as it is written → the packages where it is banned, and why.
MONEY = frozenset({"coverage", "claims", "payments", "rules", "kernel", "formats", "app"})
BANNED_CALLS: dict[str, tuple[frozenset[str], str]] = {
    "datetime.now": (PURE | {"app"}, "the day comes in as a value, or nothing can be replayed"),
    "datetime.utcnow": (PURE | {"app"}, "the day comes in as a value, or nothing can be replayed"),
    "date.today": (PURE | {"app"}, "the day comes in as a value, or nothing can be replayed"),
    "time.time": (PURE | {"app"}, "the instant comes in as a value, or nothing can be replayed"),
    "open": (PURE - {"rules"}, "the domain reads no file; bytes come in"),
    "float": (MONEY, "money is whole cents, a rate is a fraction"),
    "print": (frozenset(MAY_IMPORT), "doors write to their consoles, the rest answers"),
    "eval": (frozenset(MAY_IMPORT), "data is never run"),
    "exec": (frozenset(MAY_IMPORT), "data is never run"),
}


@dataclass(frozen=True)
class Source:
    """A Python file: its path from the root, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """`kernel` for src/ecluse/kernel/money.py, `wiring` for src/ecluse/wiring/keys.py, `sim` for sim/world.py."""
        parts = self.path.removesuffix(".py").split("/")
        return parts[2] if parts[:2] == ["src", "ecluse"] else parts[0]

    def says(self, node: ast.AST | int, rule: str, why: str) -> str:
        """One failure, as an editor can open it."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return f"{self.path}:{line}: {rule} — {why}"


def parse(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(parse(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in found)


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported module, with what is taken from it: `from ecluse.app import ports` is `ecluse.app.ports`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, source.says(node, "relative import", "the arrow is read in full names")
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (each for each in ast.walk(source.tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring: saying more is never punished."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


# ------------------------------------------------------------------------------------------------------------------ the rules


def arrow(source: Source) -> Iterator[str]:
    """Every import points down."""
    allowed = MAY_IMPORT.get(source.package)
    for node, name in imports(source):
        if allowed is None or not name.startswith("ecluse.") or name == "ecluse.__version__":
            continue
        module = name.removeprefix("ecluse.")
        inside = module.split(".")[0] == source.package
        if not inside and not any(f"{module}.".startswith(f"{each}.") for each in allowed):
            yield source.says(
                node, f"{source.package} imports {name}", "every import points down (docs/architecture.md)"
            )


def order(source: Source) -> Iterator[str]:
    """Inside the domain, what is computed with does not know who computes."""
    for package, above in DOMAIN_ORDER:
        for node, name in imports(source) if source.package == package else ():
            if name.startswith("ecluse.") and name.split(".")[1] in above:
                yield source.says(node, f"{package} imports {name}", "it would close a circle in the domain")


def drivers(source: Source) -> Iterator[str]:
    """Libraries that speak to the world stay at the edge."""
    if source.package in MAY_IMPORT:
        for node, name in imports(source):
            allowed = DRIVERS.get(name.split(".")[0])
            if allowed is not None and source.package not in allowed:
                yield source.says(node, f"{source.package} imports {name}", f"only {sorted(allowed) or 'nobody'} may")


def file_length(source: Source) -> Iterator[str]:
    """A file is read in one sitting."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield source.says(lines, f"{lines} lines, at most {FILE_LINES_MAX}", "make it a folder of the same name")


def function_length(source: Source) -> Iterator[str]:
    """A function is read at a glance."""
    for each in functions(source):
        if length(each) > FUNCTION_LINES_MAX:
            rule = f"{each.name} has {length(each)} lines, at most {FUNCTION_LINES_MAX}"
            yield source.says(each, rule, "give its steps their own names")


def names(source: Source) -> Iterator[str]:
    """A module's name says what is inside."""
    for part in source.path.removesuffix(".py").split("/"):
        if part in BANNED_NAMES or part.rpartition("_")[2] in BANNED_NAMES:
            yield source.says(1, f"named {part}", "such a name says nothing: name the subject")


def calls(source: Source) -> Iterator[str]:
    """No clock, no file and no float where a result must be the same for ever."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        written = ".".join(ast.unparse(node.func).split(".")[-2:])
        where, why = BANNED_CALLS.get(written, (frozenset(), ""))
        if source.package in where:
            yield source.says(node, f"calls {written}", why)


def patterns(source: Source) -> Iterator[str]:
    """The pattern of a field says where the text ends."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg == "pattern" and ast.unparse(node.value)[:-1].endswith("$"):
            yield source.says(
                node.value, "a pattern that ends in $", "a line end may follow: kernel/patterns.py has END"
            )


def dated_law(source: Source) -> Iterator[str]:
    """No date of law stands in Python."""
    made = (each for each in ast.walk(source.tree) if isinstance(each, ast.Call) and each.args)
    for node in made if source.package in PURE else ():
        year = node.args[0]
        if ast.unparse(node.func).endswith(("date", "datetime")) and isinstance(year, ast.Constant):
            yield source.says(node, "a day written in code", "law is data: put it in rules/fr (docs/rules.md)")


def handlers(source: Source) -> Iterator[str]:
    """An error is caught by its name; outside the pure packages, a broad `except` may stand with its reason beside it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {""}
            reason = source.text.splitlines()[node.lineno - 1].partition("noqa: BLE001 - ")[2].strip()
            decided = reason and source.package not in PURE and "" not in caught
            if caught & {"", "Exception", "BaseException"} and not decided:
                yield source.says(
                    node, "broad except", "it hides bugs: name the error, or write `noqa: BLE001 - reason`"
                )


def documented(source: Source) -> Iterator[str]:
    """A module opens with its promise, and so does all that is public."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield source.says(1, "module without docstring", "a module opens with its promise")
    for node in public(source.tree):
        if not ast.get_docstring(node):
            yield source.says(
                node, f"{node.name} without docstring", "public: say what it gives, in one sentence at least"
            )


def annotated(source: Source) -> Iterator[str]:
    """Public functions say what they take and what they give."""
    for node in public(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            bare = [each.arg for each in taken if each and not each.annotation and each.arg not in ("self", "cls")]
            if bare or node.returns is None:
                yield source.says(node, f"{node.name} is not annotated", ", ".join(bare) or "no return type")


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Public functions and classes of a module, and public methods of those; a property's setter repeats its getter."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            decorators = [ast.unparse(each) for each in node.decorator_list]
            if any(each.endswith((".setter", "overload")) for each in decorators):
                continue
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


# Rule → the folders it holds in. Tests explain themselves by their names, so only their lengths and names are held.
RULES: dict[Callable[[Source], Iterator[str]], tuple[str, ...]] = {
    arrow: ("src",),
    order: ("src",),
    drivers: ("src",),
    calls: ("src",),
    patterns: ("src",),
    dated_law: ("src",),
    handlers: ("src", "sim", "bench"),
    documented: ("src", "sim", "bench"),
    annotated: ("src", "sim", "bench"),
    names: ("src", "sim", "bench", "tests"),
    file_length: ("src", "sim", "bench", "tests"),
    function_length: ("src", "sim", "bench", "tests"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_is_tidy(rule: Callable[[Source], Iterator[str]]) -> None:
    found = [failure for source in sources(*RULES[rule]) for failure in rule(source)]
    assert not found, f"\n{rule.__doc__}\n" + "\n".join(found)


@pytest.mark.parametrize("folder", ["src", "sim"])
def test_files_and_functions_are_short_in_the_middle(folder: str) -> None:
    files = [source.text.count("\n") for source in sources(folder)]
    bodies = [length(each) for source in sources(folder) for each in functions(source)]
    assert median(files) <= FILE_LINES_MEDIAN
    assert median(bodies) <= FUNCTION_LINES_MEDIAN


def test_every_package_has_its_place_in_the_arrow() -> None:
    packages = {source.package for source in sources("src")} - {"__init__", "__main__"}
    assert packages <= MAY_IMPORT.keys(), "a new package: give it a line in MAY_IMPORT, and say why there"


# A rule that cannot fail is not a rule: each is shown something untidy.
UNTIDY = [
    (arrow, "src/ecluse/rights/x.py", "from ecluse.app.ports import Store"),
    (arrow, "src/ecluse/app/x.py", "import ecluse.engines.sqlite"),
    (arrow, "src/ecluse/app/x.py", "from ecluse import engines"),
    (arrow, "src/ecluse/doors/http/x.py", "from ecluse.engines import sqlite"),
    (arrow, "src/ecluse/engines/x.py", "from ecluse.app.rights import check"),
    (arrow, "src/ecluse/engines/x.py", "from ecluse.doors.http import app"),
    (arrow, "src/ecluse/kernel/x.py", "def late():\n    from ecluse.rules import book"),
    (order, "src/ecluse/rights/x.py", "from ecluse.payments import ledger"),
    (drivers, "src/ecluse/app/x.py", "import sqlite3"),
    (drivers, "src/ecluse/claims/x.py", "import duckdb"),
    (drivers, "src/ecluse/gate/x.py", "from random import choice"),
    (calls, "src/ecluse/gate/x.py", "import datetime\nnow = datetime.datetime.now()"),
    (calls, "src/ecluse/payments/x.py", "amount = float('1.10')"),
    (calls, "src/ecluse/engines/x.py", "print('here')"),
    (patterns, "src/ecluse/app/x.py", "Number = Meta(pattern=rf'^{DIGITS}$', max_length=9)"),
    (dated_law, "src/ecluse/coverage/x.py", "REFORM = datetime.date(2024, 12, 22)"),
    (handlers, "sim/x.py", "try:\n    pass\nexcept:  # noqa: BLE001 - because\n    pass"),
    (handlers, "sim/x.py", "try:\n    pass\nexcept Exception:  # noqa: BLE001\n    pass"),
    (handlers, "src/ecluse/gate/x.py", "try:\n    pass\nexcept Exception:  # noqa: BLE001 - because\n    pass"),
    (handlers, "sim/x.py", "try:\n    pass\nexcept (ValueError, Exception):\n    pass"),
    (documented, "sim/x.py", "import math"),
    (documented, "sim/x.py", "'''A promise.'''\nclass Thing:\n    '''A thing.'''\n    def act(self) -> None: ..."),
    (annotated, "sim/x.py", "def act(thing) -> None: ..."),
    (annotated, "sim/x.py", "def act(thing: int): ..."),
    (names, "src/ecluse/app/utils.py", ""),
    (names, "sim/claim_service.py", ""),
    (file_length, "sim/x.py", "\n" * 401),
    (function_length, "sim/x.py", "def act():\n" + "    pass\n" * 51),
]


@pytest.mark.parametrize(("rule", "path", "text"), UNTIDY)
def test_each_rule_sees_what_it_is_for(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    found = list(rule(parse(path, text)))
    assert found
    assert all(failure.startswith(f"{path}:") for failure in found)


def test_what_points_down_is_not_refused() -> None:
    text = "from ecluse.app import ports\nfrom ecluse.app.ports import Store\nfrom ecluse.kernel.errors import refusal"
    assert not list(arrow(parse("src/ecluse/engines/x.py", text)))


def test_a_written_reason_is_heard() -> None:
    text = "try:\n    pass\nexcept Exception as broken:  # noqa: BLE001 - the caller of the batch gets it\n    raise"
    assert not list(handlers(parse("src/ecluse/engines/x.py", text)))
