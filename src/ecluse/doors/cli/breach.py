"""`ecluse breach`: what an incident asks for, decided from facts on standard input. No database, no person, no hub needed.

Each command reads one JSON object and writes one (docs/breach.md has the vocabulary); at a terminal it prints a table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import RenderableType

from ecluse.breach.agenda import calendar
from ecluse.breach.assess import assess as assessed
from ecluse.breach.dora.answer import answer as dora_answer
from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import BYTES_MAX, Facts, Sent, read
from ecluse.breach.times import Times, running, shown
from ecluse.doors.cli.breach_tables import answered
from ecluse.doors.cli.breach_tables import clocks as clocks_table
from ecluse.doors.cli.screen import OUT
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import refusal

app = typer.Typer(
    help="What a breach asks for: who is told, by when, in which form. Facts in, decisions out.", no_args_is_help=True
)

NOT_WRITTEN = refusal(
    "agenda_not_written", 400, "The calendar was not written", fix="Name a file in a folder that is there."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON at a terminal too; into a file or a pipe it always is.")]
T = TypeVar("T", bound=Sent)


@app.command("assess")
def assess(json: Json = False) -> None:
    """Decide register, authority, persons and controllers from the facts of an incident, each with its reasons and their sources.

    Send what is known, and leave out what is not: `undecided` then lists what would decide. Facts, with their values:

      cause      external_malicious, internal_malicious, external_accidental, internal_accidental, unknown

      nature     a list of confidentiality, integrity, availability

      data       a list of categories: identity, birth_date, national_number, insurance_contract, health, bank…

      persons    a number, or words

      exfiltration  proved, possible, none_proved;  recipient  criminal, public, wrong_person…;  role  controller, processor

    Also: encrypted_at_rest, key_safe, backup, restored_within_h, enisa, clock, art34, letter, cnil_band, mfa, logging
    (docs/breach.md).

    Example:

      echo '{"cause": "external_malicious", "nature": ["confidentiality"], "data": ["civil_status", "national_number"],
      "persons": 33000000, "recipient": "criminal", "role": "processor"}' | ecluse breach assess
    """
    _print(assessed(_facts(Facts), paris_day(datetime.now(UTC))), answered, json=json)


@app.command("dora")
def dora(json: Json = False) -> None:
    """Classify an incident under DORA, date its reports, and fill them: one for each insurer, one for all where that is allowed.

    Classification: clients, clients_pct, policyholders, covered_beneficiaries, transactions_pct, media, duration_h, downtime_h,
    member_states, data_losses, malicious_access, costs_eur, critical_function… or `critical_services` and the list `thresholds`.

    Deadlines: aware, classified, initial_submitted, last_intermediate, with `nis2` (none, essential, important) and `timezone`.

    Reports: `report`, with its stage (initial, intermediate, final, reclassified), `fields` by their number ("1.1" to "4.16") and
    `entities`. Each report comes back with its fields, those missing and those wrong.

    Example:

      echo '{"covered_beneficiaries": 150000, "malicious_access": true, "classified": "2026-03-07T10:00:00+01:00",
      "nis2": "none"}' | ecluse breach dora
    """
    _print(dora_answer(_facts(Dora), paris_day(datetime.now(UTC))), answered, json=json)


@app.command("clocks")
def clocks(
    ics: Annotated[
        Path | None, typer.Option("--ics", metavar="FILE", help="Also write the open deadlines as an iCalendar file.")
    ] = None,
    json: Json = False,
) -> None:
    """List every deadline that runs, the most urgent first, in UTC and in Paris; a late one asks for its reasons.

    Send `aware` (RFC 3339, with its offset), `role` and `regimes` (gdpr, dora, nis2, lopmi); then, as they come,
    told_by_processor, high_risk_known, classified, initial_submitted, last_intermediate, recovered, nis2_notified, nis2 (none,
    essential, important), and under `done` and `reasons` what was sent, when, and why late, by the deadline's `id`. `now`
    replays another instant.

    Example:

      echo '{"aware": "2026-03-06T17:00:00+01:00", "regimes": ["gdpr", "dora", "lopmi"]}' | ecluse breach clocks --ics delais.ics
    """
    times = _facts(Times)
    now = times.now or datetime.now(UTC)
    found = running(times, now)
    if ics is not None:
        try:
            ics.write_bytes(calendar(found, now))
        except OSError as error:
            raise NOT_WRITTEN(str(error.strerror)) from None
    _print(shown(found, now), lambda answer: clocks_table(answer["clocks"]), json=json)


def _facts(kind: type[T]) -> T:
    return read(sys.stdin.buffer.read(BYTES_MAX + 1), kind)


def _print(answer: dict[str, Any], table: Callable[[dict[str, Any]], Iterable[RenderableType]], *, json: bool) -> None:
    """JSON for programs; a table for whoever sits at a terminal."""
    if json or not sys.stdout.isatty():
        typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=1))
    else:
        plain = msgspec.json.decode(msgspec.json.encode(answer))
        OUT.print(*table(plain), sep="\n")
