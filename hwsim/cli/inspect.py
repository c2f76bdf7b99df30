"""`hwsim inspect`: the graph of a model."""
import click

from hwsim.cli import options, progress
from hwsim.reports import inspection
from hwsim.reports.session import open_model


@click.command("inspect")
@click.argument("model", type=click.Path())
@click.option("--text", "as_text", is_flag=True, help="The stable text form of the graph instead of a table.")
@options.OUTPUT
def command(model, as_text, json_path, quiet, verbose):
    """Show the graph: layers, shapes, parameters, what will be folded, what cannot run in integers and why.

    \b
    Examples:
      hwsim inspect models/dephasenet10.h5
      hwsim inspect net.hwq --text
    """
    opened = open_model(model)
    if as_text:
        click.echo(inspection.stable_text(opened), nl=False)
        return
    progress.publish(inspection.report(opened), json_path, quiet, inspection.text)
