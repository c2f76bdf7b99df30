"""`hwsim mutants`: known wrong designs against a vector set."""
from __future__ import annotations

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.reports import mutants
from hwsim.vectors.simulate.qualify import qualify


@click.command("mutants", cls=Command)
@click.argument("directory", type=click.Path())
@click.argument("names", nargs=-1, metavar="[MUTANT]...")
@click.option("--sim", help="verilator or icarus.  [default: the first that is there]")
@click.option("--build", "build_path", type=click.Path(), help="Keep the simulator's builds in this folder.")
@options.OUTPUT
def command(directory: str, names: tuple[str, ...], sim: str | None, build_path: str | None, json_path: str | None, quiet: bool,
            verbose: bool) -> int:
    """Patch known bugs into the RTL of a vector set, one by one, and say which of them its vectors catch.

    A bug in lines that no layer of the set reaches is not applicable. Exit 0: every other one is killed, 1: one survives.

    \b
    Examples:
      hwsim vectors --directed --tn 4 --tm 4 --acc-bits 20 --out v && hwsim mutants v
      hwsim mutants v "bias not added" "clamp missing" --sim icarus
    """
    with progress.bar(quiet) as show, progress.bad_input_is_usage():
        result = qualify(directory, names, sim, build_path, lambda done, total: show("mutants run", done, total))
    progress.publish(mutants.report(directory, result), json_path, quiet, mutants.text, verbose)
    return 0 if result.passed else 1
