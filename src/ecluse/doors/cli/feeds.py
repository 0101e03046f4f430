"""`ecluse feed`: member files of insurers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ecluse.app.feeds import Order, journalled, load_file
from ecluse.app.feeds import Progress as Told
from ecluse.app.hub import Hub
from ecluse.app.ports import FeedRecord
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, USAGE_INVALID, Dir, Json, print_json
from ecluse.formats.feed.file import Mode, RowRefusal
from ecluse.kernel.errors import NOT_FOUND
from ecluse.wiring import open_hub

app = typer.Typer(help="Member files of insurers.", no_args_is_help=True)

SHOWN_MAX = 20  # refused rows printed after a load; `feed show` prints them all


class FeedReport(msgspec.Struct, frozen=True):
    """A feed as it is printed and sent: `GET /v1/feeds/{id}` has the same members."""

    feed_id: str
    insurer: str
    mode: str
    state: str
    counts: dict[str, int]
    refusals: list[dict[str, Any]]
    refusals_total: int


def report(feed: FeedRecord, refusals: list[RowRefusal]) -> FeedReport:
    """A feed and its refused rows."""
    rows = [msgspec.structs.asdict(each) for each in refusals]
    counts = msgspec.structs.asdict(feed.counts)
    return FeedReport(feed.id, feed.insurer, feed.mode, feed.state, counts, rows, counts.pop("refusals_total"))


@app.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV (UTF-8, commas, header) or Parquet; docs/feeds.md.")
    ],
    insurer: Annotated[str, typer.Option(help="The insurer's AMC number, 8 to 10 digits.")],
    delta: Annotated[bool, typer.Option("--delta", help="Changes to the rights that are there.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All of the insurer's rights; so it is by default.")] = False,
    drop_unknown: Annotated[bool, typer.Option(help="Leave out columns that have no place here.")] = False,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Most members lose their rights by this file, and that is meant.")
    ] = False,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Load a member file: every row, or none. A killed load goes on where it was; the same file again changes nothing."""
    if full and delta:
        raise USAGE_INVALID("a file is --full or --delta, not both", fix="see ecluse feed load --help")
    order = Order(insurer, Mode.DELTA if delta else Mode.FULL, drop_unknown, shrink=shrink)
    begun_s = time.monotonic()
    with open_hub(directory) as hub, hub.feeds.files.at(file) as opened, _bar() as told:
        feed = hub.run(load_file(hub, opened, order, journalled(hub), told))
        refusals = hub.run(hub.feeds.store.refusals(feed.id))
    if json:
        print_json(report(feed, refusals))
    else:
        _summary(feed, time.monotonic() - begun_s)
        _print(refusals[:SHOWN_MAX], feed)
    if feed.state == "refused":
        raise typer.Exit(_refused(feed))


@app.command("show")
def show(
    feed_id: Annotated[str, typer.Argument(metavar="ID", help="The feed: fee_…")],
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Print what became of a feed, with every refused row kept in detail."""
    with open_hub(directory) as hub:
        feed, refusals = hub.run(_find(hub, feed_id))
    if json:
        print_json(report(feed, refusals))
        return
    _summary(feed, None)
    _print(refusals, feed)


async def _find(hub: Hub, feed_id: str) -> tuple[FeedRecord, list[RowRefusal]]:
    feed = await hub.feeds.store.feed(feed_id)
    if feed is None:
        raise NOT_FOUND("no feed has this id")
    return feed, await hub.feeds.store.refusals(feed_id)


def _summary(feed: FeedRecord, seconds: float | None) -> None:
    counts = feed.counts
    OUT.print(f"{feed.id}  {feed.mode} file of {feed.insurer}: [bold]{feed.state}[/]")
    pace = f" in {seconds:.1f} s ({counts.rows / max(seconds, 0.001):,.0f} rows/s)" if seconds else ""
    OUT.print(f"{counts.rows:,} rows, {counts.refused_rows:,} refused{pace}")
    if feed.state == "loaded":
        OUT.print(f"The insurer's rights now: {counts.rights:,}, of {counts.persons:,} persons")


def _print(refusals: list[RowRefusal], feed: FeedRecord) -> None:
    if not refusals:
        return
    table = Table("line", "column", "code", "detail", "fix")
    for each in refusals:
        table.add_row(f"{each.line}", each.column, each.code, each.detail, each.fix)
    OUT.print(table)
    if (more := feed.counts.refusals_total - len(refusals)) > 0:
        OUT.print(f"and {more:,} more: ecluse feed show {feed.id}")


def _refused(feed: FeedRecord) -> int:
    fix = f"correct them and load the file again; ecluse feed show {feed.id}"
    ERRORS.print(
        f"feed_refused: {feed.counts.refused_rows:,} rows refused, nothing was changed ({fix})", soft_wrap=True
    )
    return 2


@contextmanager
def _bar() -> Iterator[Told]:
    """A progress bar on stderr when it is a terminal; else nothing."""
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, disable=not ERRORS.is_terminal, transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def told(step: str, done: int, of: int) -> None:
            progress.update(task, description=step, completed=done, total=of or None)

        yield told
