"""`hwsim quantize`: the integer network as one file."""
from __future__ import annotations

from typing import Any

import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.cli.prepared import calibrating, run_of
from hwsim.graph import store
from hwsim.pipeline.model import open_float
from hwsim.pipeline.session import RunOptions, prepare
from hwsim.reports import network


@click.command("quantize", cls=Command)
@click.argument("model", type=click.Path())
@click.option("-o", "--output", "output_path", type=click.Path(), required=True, help="The .hwq file to write.")
@options.INPUTS
@options.CALIBRATION
@options.SAVE_CALIBRATION
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model: str, output_path: str, json_path: str | None, quiet: bool, verbose: bool, **given: Any) -> None:
    """Quantize MODEL and save the integer network: documented, self-contained, reloadable.

    \b
    Examples:
      hwsim quantize models/dephasenet10.h5 -o dephasenet10.hwq --act-bits 11
      hwsim quantize model.h5 -o net.hwq --calib photos/ --calib-method percentile
      hwsim quantize model.h5 -o net.hwq --calib photos/ --save-calibration ranges.json
    """
    files.check_writable(output_path)
    run, notes = run_of(open_float(model), calibrating(given), RunOptions())
    with progress.bar(quiet) as show:
        session = prepare(run, progress=show)
    progress.warn(notes + session.notes)
    store.save(session.net, output_path)
    if given["save_calibration_path"] and session.calibration:
        session.calibration.save(given["save_calibration_path"])
    progress.publish(network.report(session, output_path), json_path, quiet, network.text, verbose)
