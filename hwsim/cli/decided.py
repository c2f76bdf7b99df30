"""The Config of a command that opens either kind of MODEL: a quantized network has decided its options already."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.cli import options
from hwsim.errors import UsageError
from hwsim.hw.config import Device
from hwsim.pipeline.model import Model
from hwsim.quantization.config import Config

DECIDED = (*sorted(options.CONFIG_FIELDS), "layer_bits", "scales_file", "calib_path", "calibration_path", "save_calibration_path")


def config_for(opened: Model, given: Mapping[str, Any], device: Device) -> tuple[Config | None, tuple[str, ...]]:
    """(Config, notes) for a float checkpoint, (None, ()) for a .hwq. Errors: UsageError for an option that a .hwq cannot take."""
    if opened.net is None:
        return options.config_of(given, opened.sensor, device)
    for name in DECIDED:
        if given.get(name) not in (None, ()):
            option = name.removesuffix("_file").removesuffix("_path").replace("_", "-")
            raise UsageError(f"{opened.path}: --{option} must be given when the network is quantized, not afterwards")
    return None, ()
