"""`hwsim inspect`: the graph of a model."""
import click

from hwsim.cli import options, progress
from hwsim.cli.decided import config_for
from hwsim.cli.main import Command
from hwsim.errors import UsageError
from hwsim.imaging.source import sources
from hwsim.pipeline.session import Clock, input_specs, open_model, start
from hwsim.reports import inspection


@click.command("inspect", cls=Command)
@click.argument("model", type=click.Path())
@click.option("--text", "as_text", is_flag=True, help="The stable text form of the graph instead of a table.")
@click.option("--plan", "with_plan", is_flag=True, help="Quantize, and show how the fast engine runs each array layer and why.")
@options.INPUTS
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model, as_text, with_plan, json_path, quiet, verbose, **given):
    """Show the graph: layers, shapes, parameters, what will be folded, what cannot run in integers and why.

    \b
    Examples:
      hwsim inspect models/dephasenet10.h5
      hwsim inspect net.hwq --text
      hwsim inspect models/dephasenet10.h5 --plan --act-bits 8
    """
    if as_text and with_plan:
        raise UsageError("--text must come without --plan, which is a table of its own, not with it")
    opened = open_model(model)
    if as_text:
        click.echo(inspection.stable_text(opened), nl=False)
        return
    if with_plan:
        _plan(opened, given, json_path, quiet)
        return
    progress.publish(inspection.report(opened), json_path, quiet, inspection.text, verbose)


def _plan(opened, given, json_path, quiet):
    config, notes = config_for(opened, given, options.device_of(given))
    path = given["calib_path"] or given["input_path"]
    found = sources(path, input_specs(opened.network), options.optics(given, opened.sensor))
    session = start(opened, config, found, Clock())
    progress.warn(notes + session.notes)
    progress.publish(inspection.plans(session, found[0][1]().inputs), json_path, quiet, inspection.plans_text)
