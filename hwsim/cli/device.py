"""`hwsim device`: the effective device."""
from __future__ import annotations

from typing import Any

import click

from hwsim.cli import options, progress
from hwsim.cli.main import Command
from hwsim.hw.config import to_toml
from hwsim.version import VERSION


@click.command("device", cls=Command)
@options.QUANTIZATION
@options.DEVICE
@options.OUTPUT
def command(json_path: str | None, quiet: bool, verbose: bool, **given: Any) -> None:
    """Print the effective device as TOML: the shipped or given one with every option over its field.

    \b
    Examples:
      hwsim device
      hwsim device --device diannao --dma-bits 256 > my_npu.toml
    """
    device = options.device_of(given)
    report = {"schema": "hwsim.device/1", "hwsim": VERSION, "device": device.as_json(), "peak_ops_per_cycle": device.peak_ops,
              "peak_giga_ops": float(device.peak_ops * device.clock_hz / 2 ** 30)}
    progress.publish(report, json_path, quiet, lambda _: [to_toml(device).rstrip()], verbose)
