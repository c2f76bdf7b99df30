"""`hwsim quantize`: the integer network as one file."""
import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.graph import store
from hwsim.imaging.source import sources
from hwsim.pipeline.session import Clock, input_specs, open_float, start
from hwsim.reports import network


@click.command("quantize", cls=Command)
@click.argument("model", type=click.Path())
@click.option("-o", "--output", "output_path", type=click.Path(), required=True, help="The .hwq file to write.")
@options.INPUTS
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model, output_path, json_path, quiet, verbose, **given):
    """Quantize MODEL and save the integer network: documented, self-contained, reloadable.

    \b
    Examples:
      hwsim quantize models/dephasenet10.h5 -o dephasenet10.hwq --act-bits 11
      hwsim quantize model.h5 -o net.hwq --calib photos/ --calib-method percentile
    """
    files.check_writable(output_path)
    opened = open_float(model)
    config, notes = options.config_of(given, opened.sensor, options.device_of(given))
    path = given["calib_path"] or given["input_path"]
    found = sources(path, input_specs(opened.graph), options.optics(given, opened.sensor))
    with progress.bar(quiet) as show:
        session = start(opened, config, found, Clock(), show)
    progress.warn(notes + session.notes)
    store.save(session.net, output_path)
    progress.publish(network.report(session, output_path), json_path, quiet, network.text, verbose)
