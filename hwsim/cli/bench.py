"""`hwsim bench`: how fast the engine is beside the machine's own limit."""
import click

from hwsim.cli import options, progress
from hwsim.reports import bench


@click.command("bench")
@click.option("--repeats", type=click.IntRange(1), default=9, show_default=True,
              help="Measurements per row; their median is shown.")
@options.OUTPUT
def command(repeats, json_path, quiet, verbose):
    """Rates of single layers in GMAC/s of CPU time, beside the dot-product limit measured in turns in the same run.

    \b
    Examples:
      hwsim bench
      hwsim bench --repeats 3 --json bench.json
    """
    progress.publish(bench.report(repeats=repeats), json_path, quiet, bench.text)
