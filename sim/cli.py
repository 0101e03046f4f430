"""`ecluse demo` and `ecluse sim run`: a simulated département plays real days against the real hub, and is audited."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ecluse.doors.cli.screen import ERRORS, OUT, Json, print_json
from ecluse.kernel.days import paris_day
from ecluse.kernel.money import en_euros

if TYPE_CHECKING:
    from sim.figures import Json as Figures
    from sim.run import Run

app = typer.Typer(help="Play simulated days against a real hub, and check every answer.", no_args_is_help=True)

PEOPLE_MAX = 2_000_000  # the world is held in memory
DAYS_MAX = 31  # a month of care: longer runs say nothing more and take hours

Then = Callable[["Run"], "Figures"]  # what is played on the same world and hub, and its figures

DEMO_ATTACKS = ("bad-token", "blind", "leaked", "hundred")

People = Annotated[int, typer.Option(min=1, max=PEOPLE_MAX, help="Inhabitants of the simulated département.")]
Seed = Annotated[int, typer.Option(min=0, help="One seed and day, one world: the same bytes.")]


def add_to(commands: typer.Typer) -> None:
    """Add `ecluse demo` and `ecluse sim` to the hub's commands."""
    commands.command("demo")(demo)
    commands.add_typer(app, name="sim")


@app.callback()
def root() -> None:
    """Play simulated days against a real hub, and check every answer."""


def demo(
    people: People = 20_000,
    seed: Seed = 1,
    out: Annotated[
        Path, typer.Option(help="Where to leave the hub, its files and report.html: new, or an earlier demo.")
    ] = Path("demo"),
    story: Annotated[
        Literal["2024"] | None,
        typer.Option(help="Then run the incident to its end, and tell January 2024 again in story/index.html."),
    ] = None,
    json: Json = False,
) -> None:
    """Play a day of care of a simulated département over real HTTP, pay it, audit every cent, attack it, and write report.html.

    What an earlier demo left in DIR is made anew. Afterwards `ecluse serve --dir DIR/hub` brings that world back.
    """
    from sim import report  # the simulator is loaded by its own commands only

    run, figures = _played(people, seed, out, days=1, attacks=DEMO_ATTACKS, then=_told if story else None)
    report.write(run, out / "report.html")
    if json:
        print_json(figures)
    else:
        _say(figures, out)


@app.command("run")
def sim_run(
    people: People = 2_000,
    seed: Seed = 1,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="Days of care in a row, up to today.")] = 1,
    attack: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Then attack the hub; `ecluse sim attacks` lists how.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to leave the hub and its files.")] = Path("sim-run"),
    json: Json = False,
) -> None:
    """Play several days in a row; every invariant is checked each day. The first lie stops the run: exit code 1."""
    _, figures = _played(people, seed, out, days, tuple(attack or ()))
    if json:
        print_json(figures)
    else:
        _say(figures, out, report=False)


@app.command("attacks")
def sim_attacks(json: Json = False) -> None:
    """List the attacks that `ecluse sim run --attack NAME` can play, after the days of care, on the same people."""
    from sim.attacks.scenarios import SCENARIOS

    if json:
        shown = ("name", "title", "knows", "costs")
        print_json([{name: getattr(each, name) for name in shown} for each in SCENARIOS.values()])
        return
    for each in SCENARIOS.values():
        words = f"{each.title}. Sait : {each.knows}. Paie : {each.costs}."
        OUT.print(f"[bold]{each.name:<15}[/] {words}", highlight=False, soft_wrap=True)


@app.command("calibrate")
def sim_calibrate(
    years: Annotated[int, typer.Option(min=1, max=10_000, help="Honest account-years of each profession.")] = 400,
    seed: Seed = 26,
    refusals: Annotated[
        bool, typer.Option("--refusals", help="Count what the built-in caps refuse honest accounts, instead.")
    ] = False,
    beginning: Annotated[
        bool, typer.Option("--beginning", help="Count what is refused while a hub begins, instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Play honest accounts of every profession, and print the table of caps that follows (docs/attacks.md says from what)."""
    from ecluse.gate.allowance import OTHER
    from ecluse.wiring.gate import built_in_caps
    from sim.lab import calibrate

    kept, today = built_in_caps(), _today()
    professions = list(kept.professions.keys() - {OTHER})
    if refusals:
        with Bars().stage("Comptes honnêtes", len(professions)) as advance:
            found = [calibrate.refused(each, kept.of(each), years, seed, advance) for each in sorted(professions)]
        if json:
            print_json(found)
            return
        for each in found:
            words = (
                "{profession:<22}{asked:>10} questions, {refused} refusées ; grands {largest_refused}/{largest_asked}"
            )
            OUT.print(words.format(**each), highlight=False)
        return
    if beginning:
        with Bars().stage("Une plateforme qui ouvre", len(professions)) as advance:
            begun = [calibrate.beginnings(each, kept, years, seed, advance) for each in sorted(professions)]
        if json:
            print_json(begun)
            return
        for each in begun:
            words = (
                "{profession:<22}{asked:>10} questions, {without} refusées sous les plafonds usuels, {refused} sinon"
            )
            OUT.print(words.format(**each), highlight=False)
        return
    with Bars().stage("Comptes honnêtes", calibrate.accounts_of(years)) as advance:
        debts = calibrate.calibrated(years, seed, advance)
    if json:
        print_json(debts)
    else:
        typer.echo(calibrate.table(debts, kept, today, seed), nl=False)


def _played(
    people: int, seed: int, out: Path, days: int, attacks: tuple[str, ...] = (), then: Then | None = None
) -> tuple[Run, Figures]:
    from sim import figures
    from sim.attacks.scenarios import scenario_of
    from sim.auditor.lie import Lie
    from sim.run import Run

    for name in attacks:
        scenario_of(name)  # before hours of care are played
    run = Run(seed, people, out, _today(), Bars(), scenarios=attacks)
    try:
        run.whole(days)
        more = then(run) if then else {}
    except Lie as lie:
        ERRORS.print(f"[bold red]Mensonge[/] {lie}", markup=True, soft_wrap=True)
        raise typer.Exit(1) from None
    summary = figures.summary(run) | more
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2))
    return run, summary


def _told(run: Run) -> Figures:
    """The story after the demo, and its page."""
    from sim.story import figures, page
    from sim.story.play import Story

    story = Story(run)
    story.play()
    told = figures.figures(story)
    page.write(story, told)
    return {"story": told}


def _today() -> date:
    """The hub's own day: the server of the run reads the same clock."""
    return paris_day(datetime.now(UTC))


class Bars:
    """Progress bars on stderr, one a stage."""

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """One bar of `total` units."""
        columns = (TextColumn("{task.description:<52}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=ERRORS) as progress:
            task = progress.add_task(title, total=total)
            yield lambda more: progress.advance(task, more)


def _say(figures: Figures, out: Path, *, report: bool = True) -> None:
    from sim.charts import milliseconds
    from sim.figures import STATES

    world, money, exchanges = figures["world"], figures["money_cents"], figures["exchanges"]
    exposure = figures["exposure"]
    check = figures["latency_ms"].get("check", {"p50": 0, "p99": 0})
    rows = [
        ("Monde", f"{world['people']} personnes, {world['insurers']} complémentaires, {world['practices']} cabinets"),
        ("Journée", f"{exchanges['total']} échanges, {exchanges['per_second']} par seconde"),
        ("Droits", f"médiane {milliseconds(check['p50'])}, 99 % sous {milliseconds(check['p99'])}"),
        ("Factures", ", ".join(f"{count} {STATES[state]}" for state, count in sorted(figures["claims"].items()))),
        ("Part AMC", f"{en_euros(money['amc'])} dus par {money['calls_count']} appels de fonds"),
        ("Virements", f"{money['transfers_count']} pour {en_euros(money['transfers'])}"),
        ("Retours", f"{money['returned_count']} pour {en_euros(money['returned'])}, dette rouverte"),
        ("Exposition", f"{exposure['questions']} questions, {exposure['people']} personnes, aucun écart"),
        ("Auditeur", f"{figures['checks_held']} vérifications, aucun écart"),
    ]
    rows += [("Attaque", _stolen(each)) for each in figures["attacks"]]
    rows += _story_rows(figures.get("story"))
    if report:
        rows.append(("Rapport", f"{out / 'report.html'}"))
    if "story" in figures:
        rows.append(("Histoire", f"{out / 'story' / 'index.html'}"))
    rows.append(("Rouvrir", f"ecluse serve --dir {out / 'hub'}"))
    for label, words in rows:
        OUT.print(f"[bold]{label:<10}[/] {words}", highlight=False, soft_wrap=True)


def _story_rows(told: Figures | None) -> list[tuple[str, str]]:
    if told is None:
        return []
    from sim.story.page import duration

    at_s = told["at_s"]
    return [
        ("Incident", _exactly(told["exact"])),
        (
            "Délais",
            f"premier nombre exact en {duration(at_s['first_number'])}, tous les dossiers en {duration(at_s['packs'])}",
        ),
    ]


def _exactly(exact: Figures) -> str:
    named, told = exact["named"], exact["told"]
    return f"{named} personnes nommées pour {told} affichées : {exact['missing']} oubliée, {exact['too_many']} de trop"


def _stolen(attack: Figures) -> str:
    """The score of one attack, in French: what the thief got, and how others fared."""
    from sim.figures import STEPS

    refused = sum(attack["refused"].values())
    held = ", ".join(f"{count} {STEPS[step]}" for step, count in attack["held"].items())
    return (
        f"{attack['title']} : {attack['people_newly_told']} personnes, {attack['fields_newly_told']} champs, "
        f"la dernière après {lasting(attack['last_new_after_s'])} ; {attack['asked']} questions, {refused} refusées ; "
        f"comptes volés : {held}. Autres : {attack['others_quarantined']} mis en quarantaine, "
        f"{attack['others_refused']} refus sur {attack['others_asked']} ; patients du cabinet retardés : "
        f"{attack['own_patients_delayed']} sur {attack['own_patients_asked']}. Portail de 2024 : {attack['portal_people']}"
    )


def lasting(seconds: float) -> str:
    """A time in words: seconds, minutes, hours or days."""
    for unit, length in (("jours", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
