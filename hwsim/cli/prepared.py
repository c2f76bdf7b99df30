"""From a command's options to the Run that they describe: the first lines of every command that quantizes."""
from __future__ import annotations

from typing import Any

from hwsim import files
from hwsim.cli import options
from hwsim.cli.decided import config_for
from hwsim.errors import UsageError
from hwsim.pipeline.model import Model
from hwsim.pipeline.session import Run, RunOptions
from hwsim.pipeline.sources import frames
from hwsim.quantization.calibration import Calibration

Given = dict[str, Any]


def run_of(model: Model, given: Given, how: RunOptions) -> tuple[Run, tuple[str, ...]]:
    """(Run, notes for people) of an opened Model and the options of a command. Errors: UsageError, FileError."""
    device = options.device_of(given)
    config, notes = config_for(model, given, device)
    if given["calib_path"] and given["calibration_path"]:
        raise UsageError("--calib must come without --calibration, which holds its ranges already, not with it")
    if given["calibration_path"] == "":
        raise UsageError("--calibration must name a file, not nothing")
    if given.get("save_calibration_path") is not None:
        files.check_writable(given["save_calibration_path"])
    inputs, calibration = frames(model, given["input_path"], given["calib_path"], options.optics(given, model.sensor))
    loaded = Calibration.load(given["calibration_path"]) if given["calibration_path"] else None
    return Run(model=model, device=device, config=config, inputs=inputs, calibration=loaded or calibration, options=how), notes


def calibrating(given: Given) -> Given:
    """The options of a command that reads inputs for calibration only: --calib, if there is one, is its input."""
    if not given["calib_path"] or given["calibration_path"]:
        return given
    return given | {"input_path": given["calib_path"], "calib_path": None}


def check_single(run: Run, given: Given, command: str) -> None:
    """Raises UsageError unless a command that takes no folder was given one input."""
    if len(run.inputs) != 1:
        raise UsageError(f"{given['input_path']}: hwsim {command} must be given one input, not a folder of {len(run.inputs)}")
