"""`hwsim vectors`: golden vectors for every array layer, or for directed corner cases; `--verify` reads a set again."""
from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.cli.prepared import check_single, run_of
from hwsim.engine import ENGINES
from hwsim.errors import UsageError
from hwsim.pipeline.model import open_model
from hwsim.pipeline.session import RunOptions, prepare
from hwsim.quantization.boundary import read_input
from hwsim.reports import vector_set
from hwsim.settings import SETTINGS, Switch
from hwsim.vectors.read.verify import verify_set
from hwsim.vectors.write.directed import directed_cases
from hwsim.vectors.write.folder import Extras
from hwsim.vectors.write.network import crop_codes, network_cases
from hwsim.vectors.write.write_set import Origin, write_set

DIRECTED_ACC_BITS = 32


@click.command("vectors", cls=Command)
@click.argument("model", type=click.Path(), required=False)
@click.option("--out", "out_path", type=click.Path(), help="Folder of the set, new or empty.")
@click.option("--verify", "verify_path", type=click.Path(), help="Read this set again: digits, checksums and every value.")
@click.option("--directed", is_flag=True, help="Corner cases of the device instead of a model's layers.")
@click.option("--count", type=click.IntRange(0), default=20, show_default=True, help="Random layers of a directed set.")
@click.option("--layers", multiple=True, help="Only this layer; may be repeated.")
@click.option("--crop", type=options.Integers("HxW", 2, "x"), help="The top-left HxW of the input.")
@click.option("--max-words", type=click.IntRange(1), help="At most so many words per file: rows are left out at the bottom.")
@click.option("--byte-image", is_flag=True, help="<stem>.bin beside every hex file, little-endian.")
@click.option("--c-header", is_flag=True, help="<stem>.h beside every hex file.")
@click.option("--events", is_flag=True, help="The golden event trace events.txt.gz of every layer.")
@click.option("--force", is_flag=True, help="Replace another vector set in --out.")
@click.option("--engine", type=click.Choice(list(ENGINES)), default="fast", show_default=True, help="Which engine.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the fast engine.  [default: all cores]")
@options.INPUTS
@options.CALIBRATION
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model: str | None, out_path: str | None, verify_path: str | None, directed: bool, json_path: str | None, quiet: bool,
            verbose: bool, **given: Any) -> None:
    """Write golden vectors that drive an RTL: hex files of exact widths, manifest, RTL, testbenches.

    \b
    Examples:
      hwsim vectors models/dephasenet10.h5 --crop 32x32 --out v && hwsim cosim v
      hwsim vectors --directed --acc-bits 20 --out corners
      hwsim vectors --verify v
    """
    if verify_path:
        with progress.bar(quiet) as show:
            counts = verify_set(verify_path, lambda layer, done: show("layers verified", done, None))
        progress.publish(vector_set.verified(verify_path, counts), json_path, quiet, vector_set.verified_text, verbose)
        return
    if not out_path or bool(model) == directed:
        raise UsageError("hwsim vectors must be given --out and either MODEL or --directed, not less or both")
    with progress.bar(quiet) as show:
        cases, origin = _of_model(model, given, show) if model else _directed(given)
        extras = Extras(given["byte_image"], given["c_header"], given["events"])
        manifest = write_set(cases, out_path, origin, extras, given["max_words"], given["force"],
                             lambda case, done: show("layers written", done, None))
    progress.publish(vector_set.report(out_path, manifest), json_path, quiet, vector_set.text, verbose)


def _directed(given: dict[str, Any]) -> tuple[Any, Origin]:
    """(layers, Origin) of a directed set."""
    device = options.device_of(given)
    if device.acc_bits == "auto":
        device = replace(device, acc_bits=DIRECTED_ACC_BITS)
    seed = given["seed"] or 0
    return directed_cases(device, seed, given["count"], given["layers"] or None), Origin(_command(), None, seed)


def _of_model(model: str, given: dict[str, Any], show: Any) -> tuple[Any, Origin]:
    """(layers, Origin) of the set of a model's layers."""
    run, notes = run_of(open_model(model), given, RunOptions(given["engine"], given["threads"]))
    check_single(run, given, "vectors")
    session = prepare(run, progress=show)
    progress.warn(notes + session.notes)
    codes, _ = read_input(session.net, next(session.samples()).inputs)
    codes = crop_codes(codes, *given["crop"]) if given["crop"] else codes
    cases = network_cases(session.net, codes, run.device, given["layers"] or None, session.engine, given["threads"])
    return cases, Origin(_command(), session.model.sha256, session.seed)


NOT_IN_COMMAND = ("model", "force", "quiet", "verbose", "threads", "engine", "scales_file")


def _command() -> str:
    """The command line as given, without folders and files: what makes the same set again. A switch that was turned off is
    there under its own name (--no-fold-prelu); a flag that was not given is not.
    """
    given = dict(click.get_current_context().params)
    if not given["directed"]:
        del given["count"]
    parts = ["hwsim", "vectors", *(["MODEL"] if given["model"] else [])]
    for name, value in sorted(given.items()):
        if value is False and name in OFF:
            parts.append(f"--{OFF[name]}")
        elif value not in (None, False, ()) and name not in NOT_IN_COMMAND and not name.endswith("_path"):
            parts += [f"--{name.replace('_', '-')}{_value(item)}" for item in (value if name in REPEATED else [value])]
    return shlex.join(parts)


OFF = {entry.name: entry.kind.off for entry in SETTINGS if isinstance(entry.kind, Switch) and entry.kind.off}
REPEATED = ("layers", "layer_bits")


def _value(value: Any) -> str:
    """An option's value as it stands on the command line: 32x32, NAME=A/W, or nothing for a flag."""
    if value is True:
        return ""
    if not isinstance(value, tuple):
        return f"={value}"
    return f"={value[0]}={value[1][0]}/{value[1][1]}" if isinstance(value[1], tuple) else "=" + "x".join(map(str, value))
