"""`hwsim inspect`: the graph of a model."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.cli.prepared import calibrating, run_of
from hwsim.errors import UsageError
from hwsim.graph.text import to_text
from hwsim.pipeline.inspection import fast_plans, inspect_model
from hwsim.pipeline.model import Model, open_model
from hwsim.pipeline.session import RunOptions, prepare
from hwsim.reports import inspection


@click.command("inspect", cls=Command)
@click.argument("model", type=click.Path())
@click.option("--text", "as_text", is_flag=True, help="The stable text form of the graph instead of a table.")
@click.option("--plan", "with_plan", is_flag=True, help="Quantize, and show how the fast engine runs each array layer and why.")
@options.INPUTS
@options.CALIBRATION
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model: str, as_text: bool, with_plan: bool, json_path: str | None, quiet: bool, verbose: bool, **given: Any) -> None:
    """Show the graph: layers, shapes, parameters, what will be folded, what cannot run in integers and why.

    \b
    Examples:
      hwsim inspect models/dephasenet10.h5
      hwsim inspect net.hwq --text
      hwsim inspect models/dephasenet10.h5 --plan --act-bits 8
    """
    if as_text and with_plan:
        raise UsageError("--text must come without --plan, which is a table of its own, not with it")
    if given["calibration_path"] is not None and not with_plan:
        raise UsageError("--calibration must come with --plan, which quantizes, not without it")
    opened = open_model(model)
    if as_text:
        click.echo(to_text(opened.network), nl=False)
        return
    if with_plan:
        _plan(opened, given, json_path, quiet)
        return
    progress.publish(inspection.report(inspect_model(opened)), json_path, quiet, inspection.text, verbose)


def _plan(opened: Model, given: dict[str, Any], json_path: str | None, quiet: bool) -> None:
    run, notes = run_of(opened, calibrating(given), RunOptions())
    session = prepare(run)
    progress.warn(notes + session.notes)
    plans = fast_plans(session, next(session.samples()).inputs)
    progress.publish(inspection.plans(opened, plans), json_path, quiet, inspection.plans_text)
