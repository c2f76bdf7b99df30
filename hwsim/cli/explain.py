"""`hwsim explain`: one output, beat by beat."""
from __future__ import annotations

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.vectors.explain.explain_output import explain
from hwsim.version import VERSION


@click.command("explain", cls=Command)
@click.argument("directory", type=click.Path())
@click.argument("layer")
@click.argument("oy", type=int)
@click.argument("ox", type=int)
@click.argument("oc", type=int)
@options.OUTPUT
def command(directory: str, layer: str, oy: int, ox: int, oc: int, json_path: str | None, quiet: bool, verbose: bool) -> None:
    """Print every beat of output (OY, OX, OC) of LAYER in a vector set: codes, partial sums, multiplier, shift, clamp.

    \b
    Example:
      hwsim explain v enter 3 4 17
    """
    with progress.bad_input_is_usage():
        lines, values = explain(directory, layer, oy, ox, oc)
    report = {"schema": "hwsim.explain/1", "hwsim": VERSION, "layer": layer, "oy": oy, "ox": ox, "oc": oc, **values}
    progress.publish(report, json_path, quiet, lambda _: lines, verbose)
