"""`hwsim bench`: how fast the engine is beside the machine's own limit."""
from __future__ import annotations

import click

from hwsim import files
from hwsim.cli import options, progress
from hwsim.cli.main import Command


@click.command("bench", cls=Command)
@click.option("--repeats", type=click.IntRange(1), default=9, show_default=True,
              help="Measurements per row; their median is shown.")
@click.option("--plot", "plot_path", type=click.Path(), help="Write bars per layer as a picture (extra plot).")
@options.OUTPUT
def command(repeats: int, plot_path: str | None, json_path: str | None, quiet: bool, verbose: bool) -> None:
    """Rates of single layers in GMAC/s of CPU time, beside the dot-product limit measured in turns in the same run.

    Other libraries run the same layers where they are installed (extra bench); what a second thread gains is wall time.

    \b
    Examples:
      hwsim bench
      hwsim bench --repeats 3 --json bench.json --plot bench.png
    """
    from hwsim.bench.measure import measure  # loads the compiler, which --help does without
    from hwsim.reports import bench, plotting
    if plot_path:
        plotting.plot_kind(plot_path)
    for path in filter(None, (plot_path, json_path if json_path != "-" else None)):
        files.check_writable(path)
    report = bench.report(measure(repeats=repeats))
    progress.publish(report, json_path, quiet, bench.text, verbose)
    if plot_path:
        bench.plot(report, plot_path)
