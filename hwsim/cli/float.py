"""`hwsim float`: the imported float network as it is, to check an import."""
import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.reports import float_network


@click.command("float", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@click.option("--output", "output_path", type=click.Path(), help=".npz with out0, out1, ... in the model's order.")
@options.OUTPUT
def command(model, output_path, json_path, quiet, verbose, **given):
    """Run the imported float network (float64) and write its outputs.

    \b
    Examples:
      hwsim float model.h5 --input x.npz --output y.npz
      hwsim float models/dephasenet10.h5
    """
    report = float_network.run(model, given["input_path"], lambda sensor: options.optics(given, sensor), output_path)
    progress.publish(report, json_path, quiet, float_network.text, verbose)
