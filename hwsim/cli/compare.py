"""`hwsim compare`: the first mismatch of a trace, its place and its likely causes."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.reports import vector_set
from hwsim.vectors.explain.compare import compare


class Signal(click.ParamType):
    """NAME=SIGNAL of a VCD."""

    name = "NAME=SIGNAL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """(name, signal)."""
        name, mark, signal = str(value).partition("=")
        if not (mark and name and signal):
            self.fail(f"must be NAME=SIGNAL, not {value}", param, ctx)
        return name, signal


@click.command("compare", cls=Command)
@click.argument("directory", type=click.Path())
@click.argument("trace", type=click.Path())
@click.option("--layer", help="The layer that the trace is of, when DIRECTORY is a whole set.")
@click.option("--signals", type=Signal(), multiple=True, help="Names of the signals in a VCD; may be repeated.")
@click.option("--all", "every", is_flag=True, help="The first mismatch of every layer, not only of the first that differs.")
@options.OUTPUT
def command(directory: str, trace: str, layer: str | None, signals: tuple[tuple[str, str], ...], every: bool,
            json_path: str | None, quiet: bool, verbose: bool) -> int:
    """Compare anyone's TRACE (events, VCD, .npy, or a folder of them) with a vector set: 0 equal, 1 mismatch, 2 bad input.

    \b
    Examples:
      hwsim compare v/L000_enter my_trace.txt
      hwsim compare v traces/ --all --json -
    """
    with progress.bad_input_is_usage():
        reports = compare(directory, trace, layer, dict(signals) or None, every)
    progress.publish(vector_set.compared(reports), json_path, quiet, lambda r: vector_set.compared_text(r, reports), verbose)
    return 0 if all(report.equal for report in reports) else 1
