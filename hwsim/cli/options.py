"""The options that commands share and what they become: a Config, an Optics, a Device (spec/interfaces.md section 5)."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from hwsim import files, settings
from hwsim.errors import FileError, UsageError
from hwsim.hw import engines
from hwsim.hw.config import Device, config_fields, load_device, override
from hwsim.imaging import cfa
from hwsim.imaging.source import Optics
from hwsim.ops.weights import Linear
from hwsim.quantization.config import Config
from hwsim.quantization.quantizers.quantizer import Quantizer
from hwsim.quantization.quantizers.registry import QUANTIZERS

F = TypeVar("F", bound=Callable[..., Any])


class Integers(click.ParamType):
    """`count` integers joined by `mark`: 768x512."""

    def __init__(self, name: str, count: int, mark: str) -> None:
        self.name, self.count, self.mark = name, count, mark

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The integers."""
        parts = str(value).lower().split(self.mark)
        if len(parts) != self.count or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
            self.fail(f"must be {self.name}, not {value}", param, ctx)
        return tuple(map(int, parts))


class BitsOf(click.ParamType):
    """NAME=A/W."""

    name = "NAME=A/W"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, tuple[int, int]]:
        """(layer, (A, W))."""
        layer, mark, bits = str(value).rpartition("=")
        if not mark or not layer:
            self.fail(f"must be NAME=A/W, not {value}", param, ctx)
        act_bits, weight_bits = Integers("A/W", 2, "/").convert(bits, param, ctx)
        return layer, (act_bits, weight_bits)


class AutoInteger(click.ParamType):
    """`auto` or an integer."""

    name = "auto|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The integer, or `auto`."""
        if value == "auto" or isinstance(value, int):
            return value
        if not str(value).isascii() or not str(value).isdigit():
            self.fail(f"must be auto or an integer, not {value}", param, ctx)
        return int(value)


def _choice(values: Iterable[Any]) -> click.Choice[str]:
    return click.Choice(list(map(str, values)))


def grouped(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator that adds all `options` in their order."""
    return lambda command: reduce(lambda inner, option: option(inner), reversed(options), command)


CLICK: dict[type[settings.Kind], Callable[[Any], dict[str, Any]]] = {      # what an option has beside its name and help
    settings.Integer: lambda kind: {"type": AutoInteger() if kind.auto else int},
    settings.Power: lambda kind: {"type": int},
    settings.Real: lambda kind: {"type": float},
    settings.Choice: lambda kind: {"type": click.Choice(kind.words)},
    settings.Registered: lambda kind: {"type": click.Choice(tuple(QUANTIZERS))},
    settings.Switch: lambda kind: {"default": None} if kind.off else {"default": None, "is_flag": True},
    settings.ExactDecimal: lambda kind: {},
    settings.BitsByLayer: lambda kind: {"type": BitsOf(), "multiple": True},
    settings.ScaleByTensor: lambda kind: {"type": click.Path()},
}


def option_of(entry: settings.Setting) -> Callable[[F], F]:
    """The click option of a Setting: --name, for a switch with its opposite; a file is known as NAME_file."""
    flag = "--" + entry.name.replace("_", "-")
    opposite = f"/--{entry.kind.off}" if isinstance(entry.kind, settings.Switch) and entry.kind.off else ""
    known_as = (f"{entry.name}_file",) if isinstance(entry.kind, settings.ScaleByTensor) else ()
    return click.option(flag + opposite, *known_as, help=entry.help_text, **CLICK[type(entry.kind)](entry.kind))


def _group(name: str) -> list[Callable[[F], F]]:
    return [option_of(entry) for entry in settings.SETTINGS if entry.group == name]


QUANTIZATION = grouped(*_group("quantization"))

INPUTS = grouped(
    click.option("--input", "input_path", type=click.Path(), help="Array, picture, raw, folder.  [default: built-in scene]"),
    click.option("--calib", "calib_path", type=click.Path(), help="Calibration input, eight images up.  [default: the input]"),
    click.option("--cfa", help="rggb, bggr, grbg, gbrg, rgbw or a text file: RGB pictures become mosaics."),
    click.option("--raw-size", type=Integers("WxH", 2, "x"), help="Size of a headerless raw frame, WxH pixels."),
    click.option("--raw-bits", type=int, help="Bits of a raw sample."),
    click.option("--black", type=int, default=0, show_default=True, help="Raw value of black."),
    click.option("--white", type=int, help="Raw value of white.  [default: 2^B-1]"),
)

CALIBRATION = grouped(
    click.option("--calibration", "calibration_path", type=click.Path(), help="Ranges from --save-calibration."),
)

SAVE_CALIBRATION = grouped(
    click.option("--save-calibration", "save_calibration_path", type=click.Path(), help="Write the calibrated ranges as JSON."),
)

OUTPUT = grouped(
    click.option("--json", "json_path", type=click.Path(), help="Write the report as JSON; - is stdout, then nothing else."),
    click.option("-q", "--quiet", is_flag=True, help="No tables and no progress."),
    click.option("-v", "--verbose", is_flag=True, help="More columns and notes."),
)

ENGINE = grouped(
    click.option("--engine", type=_choice(engines.NAMES), default="fast", show_default=True,
                 help="Which implementation of the integer law runs."),
    click.option("--threads", type=click.IntRange(1), help="Threads of the fast engine.  [default: all cores]"),
)


def optics(given: Mapping[str, Any], sensor: Mapping[str, Any]) -> Optics:
    """The Optics of a command's options; what a shipped model says about its sensor stands in for --cfa."""
    name = given["cfa"] or sensor.get("cfa")
    return Optics(cfa=cfa.pattern(name) if name else None, raw_size=given["raw_size"], raw_bits=given["raw_bits"],
                  black=given["black"], white=given["white"])


def fixed_scales(path: str) -> dict[str, float]:
    """tensor -> scale of a --scales file."""
    try:
        scales = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        why = files.reason(error) if isinstance(error, OSError) else "another text"
        raise FileError(f"{path}: must be a JSON object of scales, not {why}") from error
    if not isinstance(scales, dict) or not all(_is_scale(value) for value in scales.values()):
        raise FileError(f"{path}: must map tensors to numbers in 1e-30..1e30, not anything else")
    return {name: float(value) for name, value in scales.items()}


def _is_scale(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 1e-30 <= value <= 1e30


def layer_bits(pairs: Sequence[tuple[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    """node -> (A, W) of repeated --layer-bits."""
    bits = dict(pairs)
    if len(bits) != len(pairs):
        raise UsageError("--layer-bits must name a layer once, not twice")
    return bits


DEVICE = grouped(
    click.option("--device", "device_name", help="sensor_npu, diannao or a TOML file; every option overrides its field."),
    *_group("device"),
)

CONFIG_FIELDS = settings.of_record("config").keys() - {"layer_bits", "scales"}   # those two are read from their own forms


def _named(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The options of those names that were given."""
    return {name: given[name] for name in names if given.get(name) is not None}


def device_of(given: Mapping[str, Any]) -> Device:
    """The effective Device: the TOML file or shipped device, with every option that was given over its field."""
    own = {entry.name for entry in settings.SETTINGS if entry.group == "device"}     # the device refuses these under its own key
    Config(**_named(given, CONFIG_FIELDS - own - {"input_bits"}))           # refuses a bad option under the option's name
    base = load_device(given["device_name"] or "sensor_npu")
    changes = settings.translate_given(given, "option", "device")
    if given.get("weights") is not None:
        changes |= _weight_fields(QUANTIZERS[given["weights"]], given, base)
    return override(base, **changes)


def _weight_fields(quantizer: Quantizer, given: Mapping[str, Any], base: Device) -> dict[str, Any]:
    """The device's weight format and, where no option gives it and the device's cannot serve, the quantizer's own width."""
    low, high = quantizer.weight_bits
    name = quantizer.weight_format.name
    served = name in (Linear.name, base.w_format) and low <= base.w_bits <= high
    bits = {} if served or given.get("weight_bits") is not None else {"w_bits": quantizer.default_bits}
    return {"w_format": name, **bits}


def config_of(given: Mapping[str, Any], sensor: Mapping[str, Any], device: Device) -> tuple[Config, tuple[str, ...]]:
    """(Config, notes) of a command's options, the device's fields and what the model says of its sensor.

    A sensor whose codes do not fit the activation word is not read as codes: its scale then follows calibration.
    """
    decided = config_fields(device)
    options = decided | _named(given, CONFIG_FIELDS - decided.keys() | {"weights"})
    options |= {"layer_bits": layer_bits(given["layer_bits"]),
                "scales": fixed_scales(given["scales_file"]) if given["scales_file"] else {}}
    bits = sensor.get("input_bits")
    plain = Config(**options)
    if bits is None or plain.input_bits is not None:
        return plain, ()
    if plain.scale_policy != "calib" or bits < plain.act_bits:
        return replace(plain, input_bits=bits), ()
    return plain, (f"the sensor's {bits} bits do not fit {plain.act_bits}-bit activations: the input scale follows calibration",)
