"""`hwsim overflow`: accumulator widths, events, and what a narrower accumulator would do."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.cli.prepared import check_single, run_of
from hwsim.engine import ENGINES
from hwsim.pipeline.model import open_model
from hwsim.pipeline.overflow import observe_overflow, try_narrower
from hwsim.pipeline.session import RunOptions, prepare
from hwsim.quantization.boundary import read_input
from hwsim.reports import overflow, plotting


@click.command("overflow", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@options.CALIBRATION
@options.QUANTIZATION
@options.DEVICE
@click.option("--engine", type=click.Choice(list(ENGINES)), default="fast", show_default=True, help="Engine of the runs.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the fast engine.  [default: all cores]")
@click.option("--what-if", "with_what_if", is_flag=True, help="Every width from 8 up from one exact pass, and true re-runs.")
@click.option("--plot", "plot_path", type=click.Path(), help="Write the widths as a picture (extra plot).")
@options.OUTPUT
def command(model: str, with_what_if: bool, plot_path: str | None, json_path: str | None, quiet: bool, verbose: bool,
            **given: Any) -> None:
    """Accumulator bits that are enough: for any weights, these weights, reachable codes, and as observed; overflow events.

    \b
    Examples:
      hwsim overflow models/dephasenet10.h5
      hwsim overflow model.h5 --input photo.png --acc-bits 22 --overflow saturate --what-if
    """
    if plot_path:
        plotting.plot_kind(plot_path)
    run, notes = run_of(open_model(model), given, RunOptions(given["engine"], given["threads"]))
    check_single(run, given, "overflow")
    with progress.bar(quiet) as show:
        session = prepare(run, progress=show)
        progress.warn(notes + session.notes)
        codes, _ = read_input(session.net, next(session.samples()).inputs)
        outcome = observe_overflow(session.net, codes, session.engine, given["threads"], show)
        if with_what_if:
            outcome = try_narrower(outcome, codes, session.engine, given["threads"], show)
    report = overflow.report(session.model.as_json(), outcome)
    if plot_path:
        overflow.plot(report, plot_path)
    progress.publish(report, json_path, quiet, lambda r: overflow.text(r, channels=verbose), verbose)
