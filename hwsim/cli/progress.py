"""Progress bars on a terminal, and where a report goes: a table, a JSON file or stdout."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from hwsim.errors import HwsimError, UsageError
from hwsim.reports import tables
from hwsim.reports.write import dumps, write_json


@contextmanager
def bar(quiet: bool) -> Iterator[Callable[..., None]]:
    """A function progress(text, done, total, pixels=None): a bar on a terminal, nothing in a pipe.

    pixels: how many the whole task covers; the bar then shows its rate in megapixels per second.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda text, done, total, pixels=None: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}")
    with Progress(*columns, TimeRemainingColumn(), console=tables.console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(text: str, done: int, total: int | None, pixels: int | None = None) -> None:
            if text not in tasks:
                tasks[text] = progress.add_task(text, total=total, rate="")
            progress.update(tasks[text], completed=done, total=total, rate=_rate(progress, tasks[text], done, total, pixels))
        yield show


def _rate(progress: Any, task_id: Any, done: int, total: int | None, pixels: int | None) -> str:
    seconds = next(task.elapsed for task in progress.tasks if task.id == task_id)
    return f"{pixels * done / total / seconds * 1e-6:.2f} Mpixel/s" if pixels and total and seconds else ""


@contextmanager
def bad_input_is_usage() -> Iterator[None]:
    """In compare, cosim and mutants exit 1 means a difference or a survivor: a bad file is 2 there."""
    try:
        yield
    except HwsimError as error:
        raise UsageError(str(error)) from error


def publish(report: dict[str, Any], json_path: str | None, quiet: bool, text: Callable[[dict[str, Any]], Iterable[Any]],
            verbose: bool = False) -> None:
    """Prints `text(report)` (rich renderables) unless quiet, options and notes too if verbose; JSON on stdout goes alone."""
    if json_path == "-":
        click.echo(dumps(report), nl=False)
        return
    if json_path:
        write_json(json_path, report)
    if not quiet:
        console = tables.console()
        for part in text(report):
            console.print(part)
        for part in _more(report) if verbose else ():
            console.print(part)


def _more(report: Mapping[str, Any]) -> Iterator[Any]:
    """What -v adds: every effective option, and the notes on how the network was made."""
    if report.get("config"):
        rows = [(key, str(value)) for key, value in sorted(report["config"].items())]
        yield tables.table("options", ("<option", "<value"), rows)
    yield from (f"note: {note}" for note in report.get("notes", ()))


def warn(notes: Iterable[str]) -> None:
    """One stderr line per warning."""
    for note in notes:
        click.echo(f"warning: {note}", err=True)
