"""`hwsim overflow`: accumulator widths, events, and what a narrower accumulator would do."""
import click

from hwsim.cli import options, progress
from hwsim.cli.decided import config_for
from hwsim.cli.main import Command
from hwsim.errors import UsageError
from hwsim.hw.accumulator.bounds import accumulator_bounds
from hwsim.hw.accumulator.shadow import shadow_run
from hwsim.pipeline.session import Clock, frames, open_model, start
from hwsim.quantization.boundary import read_input
from hwsim.reports import overflow, plotting


@click.command("overflow", cls=Command)
@click.argument("model", type=click.Path())
@options.INPUTS
@options.QUANTIZATION
@options.DEVICE
@click.option("--engine", type=click.Choice(["fast", "reference"]), default="fast", show_default=True, help="Engine of the runs.")
@click.option("--threads", type=click.IntRange(1), help="Threads of the fast engine.  [default: all cores]")
@click.option("--what-if", "with_what_if", is_flag=True, help="Every width from 8 up from one exact pass, and true re-runs.")
@click.option("--plot", "plot_path", type=click.Path(), help="Write the widths as a picture (extra plot).")
@options.OUTPUT
def command(model, with_what_if, plot_path, json_path, quiet, verbose, **given):
    """Accumulator bits that are enough: for any weights, these weights, reachable codes, and as observed; overflow events.

    \b
    Examples:
      hwsim overflow models/dephasenet10.h5
      hwsim overflow model.h5 --input photo.png --acc-bits 22 --overflow saturate --what-if
    """
    if plot_path:
        plotting.plot_kind(plot_path)
    opened = open_model(model)
    config, notes = config_for(opened, given, options.device_of(given))
    optics = options.optics(given, opened.sensor)
    found, calibration = frames(opened, given["input_path"], given["calib_path"], optics)
    if len(found) != 1:
        raise UsageError(f"{given['input_path']}: hwsim overflow must be given one input, not a folder of {len(found)}")
    with progress.bar(quiet) as show:
        session = start(opened, config, calibration, Clock(), show)
        progress.warn(notes + session.notes)
        report = _report(session, found[0][1](), with_what_if, given, show)
    if plot_path:
        overflow.plot(report, plot_path)
    progress.publish(report, json_path, quiet, lambda r: overflow.text(r, channels=verbose), verbose)


def _report(session, sample, with_what_if, given, show):
    codes, _ = read_input(session.net, sample.inputs)
    runs = {"engine": given["engine"], "threads": given["threads"]}
    shadow = shadow_run(session.net, codes, **runs, progress=lambda name, done, total: show("simulating", done, total))
    bounds = accumulator_bounds(session.net, {name: array.shape for name, array in codes.items()}, shadow.stats)
    narrower = _narrower(session.net, codes, runs, show) if with_what_if else None
    return overflow.report(session.model.as_json(), session.net, bounds, shadow, narrower)


def _narrower(net, codes, runs, show):
    from hwsim.hw.accumulator.what_if import what_if  # compiled counters, which --help and most calls do without
    return what_if(net, codes, **runs, progress=show)
