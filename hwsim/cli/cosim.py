"""`hwsim cosim`: a vector set through its RTL."""
from __future__ import annotations

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.reports import vector_set
from hwsim.vectors.simulate.cosim import cosim


@click.command("cosim", cls=Command)
@click.argument("directory", type=click.Path())
@click.option("--sim", help="verilator or icarus.  [default: the first that is there]")
@click.option("--layers", multiple=True, help="Only this layer; may be repeated.")
@click.option("--build", "build_path", type=click.Path(), help="Keep the simulator's builds in this folder.")
@options.OUTPUT
def command(directory: str, sim: str | None, layers: tuple[str, ...], build_path: str | None, json_path: str | None, quiet: bool,
            verbose: bool) -> int:
    """Run all layers of a vector set in a simulator and compare every accumulator, output and the cycle count.

    \b
    Examples:
      hwsim vectors models/dephasenet10.h5 --crop 32x32 --out v && hwsim cosim v
      hwsim cosim v --sim icarus --layers enter
    """
    with progress.bar(quiet) as show, progress.bad_input_is_usage():
        outcome = cosim(directory, sim, layers or None, build_path,
                        lambda run, done, total: show("layers simulated", done, total))
    progress.publish(vector_set.cosim(directory, outcome), json_path, quiet, vector_set.cosim_text, verbose)
    return 0 if outcome.passed else 1
