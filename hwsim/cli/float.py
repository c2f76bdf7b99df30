"""`hwsim float`: the imported float network as it is, to check an import."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.errors import UsageError
from hwsim.imaging import arrays
from hwsim.imaging.source import sources
from hwsim.pipeline.float_run import run_float
from hwsim.pipeline.model import open_float
from hwsim.reports import float_network


@click.command("float", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@click.option("--output", "output_path", type=click.Path(), help=".npz with out0, out1, ... in the model's order.")
@options.OUTPUT
def command(model: str, output_path: str | None, json_path: str | None, quiet: bool, verbose: bool, **given: Any) -> None:
    """Run the imported float network (float64) and write its outputs.

    \b
    Examples:
      hwsim float model.h5 --input x.npz --output y.npz
      hwsim float models/dephasenet10.h5
    """
    opened, input_path = open_float(model), given["input_path"]
    [(_, load), *more] = sources(input_path, opened.input_specs, options.optics(given, opened.sensor))
    if more:
        raise UsageError(f"{input_path}: hwsim float must be given one input, not a folder of {len(more) + 1}")
    result = run_float(opened, load())
    if output_path:
        arrays.write_npz(output_path, result.outputs)
    progress.publish(float_network.report(result, output_path), json_path, quiet, float_network.text, verbose)
