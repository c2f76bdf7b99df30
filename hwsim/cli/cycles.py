"""`hwsim cycles`: how long every layer takes, without running any pixels."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.decided import config_for
from hwsim.cli.main import Command
from hwsim.hw.costs.network_cycles import image_shapes, network_cycles
from hwsim.pipeline.cycles import float_cycles
from hwsim.pipeline.model import open_model
from hwsim.quantization.config import Config
from hwsim.quantization.prepare import prepare
from hwsim.reports import cycles, plotting


@click.command("cycles", cls=Command)
@click.argument("model", type=click.Path())
@click.option("--input-size", type=options.Integers("HxW", 2, "x"), help="Image rows x columns.  [default: declared, or 512x512]")
@click.option("--plot", "plot_path", type=click.Path(), help="Write bars per layer as a picture (extra plot).")
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(model: str, input_size: tuple[int, int] | None, plot_path: str | None, json_path: str | None, quiet: bool,
            verbose: bool, **given: Any) -> None:
    """Cycles, stalls, utilization, buffers and limits per layer, in closed form.

    \b
    Examples:
      hwsim cycles models/dephasenet10.h5 --input-size 512x768
      hwsim cycles model.h5 --device diannao --dma-bits 256
    """
    if plot_path:
        plotting.plot_kind(plot_path)
    opened = open_model(model)
    device = options.device_of(given)
    config, notes = config_for(opened, given, device)
    shapes = image_shapes(opened.network, input_size)
    if opened.net is not None:
        costs, settings = network_cycles(opened.net, shapes, device), opened.net.meta["config"]
    else:
        config = config or Config()
        costs, settings = float_cycles(prepare(opened.float_graph), shapes, device, config), config.as_json()
    report = cycles.report(opened.as_json(), settings, costs)
    if plot_path:
        cycles.plot(report, plot_path)
    progress.warn(notes)
    progress.publish(report, json_path, quiet, cycles.text, verbose)
