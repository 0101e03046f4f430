"""`ecluse doctor`."""

from __future__ import annotations

import typer

from ecluse.app.doctor import Finding, diagnose
from ecluse.doors.cli.screen import HERE, OUT, Dir, Json, print_json
from ecluse.wiring.examining import examine

STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def doctor(directory: Dir = HERE, json: Json = False) -> None:
    """Check an installation and say what is wrong and what to do. Exit code 2 when something is wrong.

    It may run beside a serving hub; it changes nothing, but for a probe file of half a kilobyte that it removes.
    """
    findings = diagnose(examine(directory))
    if json:
        print_json({"wrong": _count(findings, "wrong"), "warnings": _count(findings, "warning"), "checks": findings})
    else:
        for each in findings:
            OUT.print(f"[{STYLES[each.verdict]}]{each.verdict:8}[/] {each.check:14}", end="")
            OUT.print(f" {each.found}", markup=False, highlight=False, soft_wrap=True)
            if each.do:
                OUT.print(f"{'':24}→ {each.do}", markup=False, highlight=False, soft_wrap=True)
    if _count(findings, "wrong"):
        raise typer.Exit(2)


def _count(findings: list[Finding], verdict: str) -> int:
    return sum(each.verdict == verdict for each in findings)
