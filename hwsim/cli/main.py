"""The command line: one file per command, loaded when it is called; every failure is one line on stderr."""
from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import click

from hwsim.errors import GraphError, HwsimError, OverflowFault, QuantizeError, UnsupportedError, UsageError, in_file
from hwsim.version import VERSION

COMMANDS = {
    "run": "import, quantize, simulate in integers; report quality, cycles, accumulators, overflow",
    "float": "run the imported float network as it is",
    "inspect": "the graph: layers, shapes, parameters, what is folded, what is unsupported and why",
    "quantize": "write the integer network as one .hwq file",
    "device": "the effective device as TOML",
    "cycles": "cycles, stalls, utilization and buffers per layer, without running pixels",
    "overflow": "accumulator bits that are enough, overflow events, and what a narrower one would do",
    "vectors": "golden vectors for the RTL, with manifest and testbenches",
    "cosim": "a vector set through the reference RTL: every value and cycle",
    "mutants": "known wrong designs against a vector set: which of them it kills",
    "compare": "the first mismatch of anyone's trace, its place and likely causes",
    "explain": "one output of a layer, beat by beat",
    "bench": "rates of the engine beside the machine's limit",
}


TARGETS = ("output_path", "json_path", "plot_path", "trace_path", "vcd_path", "out_path", "save_calibration_path")
FILES = ("output_path", "json_path", "plot_path", "save_calibration_path")     # those of them that are never folders
SOURCES = ("model", "input_path", "calib_path", "calibration_path", "scales_file", "trace")


def check_targets(given: Mapping[str, Any]) -> None:
    """Raises UsageError where an output of a command would take the place of one of its inputs, or of another output."""
    for target in filter(None, map(given.get, TARGETS)):
        for source in filter(None, map(given.get, SOURCES)):
            if target != "-" and os.path.isfile(target) and os.path.exists(source) and os.path.samefile(target, source):
                raise UsageError(f"{target}: an output must be another file than the input, not the same")
    written = [os.path.realpath(given[name]) for name in FILES if given.get(name) not in (None, "-")]
    for path in written:
        if written.count(path) > 1:
            raise UsageError(f"{path}: two outputs must be two files, not the same")


class Commands(click.Group):
    """Commands by name; a command's module is imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, whose module is imported now; None for another name."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"hwsim.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands and their one line each, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class Command(click.Command):
    """A command that first sees to it that it would not write over what it reads; errors in a network begin with its file."""

    def invoke(self, ctx: click.Context) -> Any:
        """The exit status of the command."""
        check_targets(ctx.params)
        try:
            return super().invoke(ctx)
        except (GraphError, UnsupportedError, QuantizeError, OverflowFault) as error:
            if ctx.params.get("model"):
                in_file(error, ctx.params["model"])
            raise


@click.group(cls=Commands, invoke_without_command=True,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION, prog_name="hwsim")
@click.pass_context
def hwsim(ctx: click.Context) -> None:
    """Bit-accurate, integer-only simulation of an image-sensor NPU.

    \b
    Example:
      hwsim run models/dephasenet10.h5 --act-bits 11
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 ok, 1 ran and failed, 2 usage."""
    # numpy's matrix threads wait for work by spinning, 2^26 cycles unless told: a core that others, or this run, could use
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")
    warnings.showwarning = _warn
    sys.exit(status(arguments))


def _warn(message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
          line: str | None = None) -> None:
    """A warning of any library as one line, like those of hwsim itself."""
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)


def status(arguments: Sequence[str] | None = None) -> int:
    """The exit status of one command line; prints at most one error line."""
    try:
        return hwsim.main(arguments, standalone_mode=False) or 0
    except HwsimError as error:
        return _fail(str(error), error.exit_code)
    except click.UsageError as error:
        return _fail(error.format_message(), 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _fail("the memory must be enough for this network and input, not exhausted", 1)
    except Exception as error:
        if os.environ.get("HWSIM_TRACEBACK"):
            raise
        return _fail(f"internal error, please report it: {type(error).__name__}: {error} (HWSIM_TRACEBACK=1 shows where)", 1)


def _fail(message: str, code: int) -> int:
    click.echo("hwsim: " + " ".join(message.split()), err=True)
    return code
