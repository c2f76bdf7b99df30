"""The options that commands share, and what they become: a Config, an Optics, a Device. Names as in INTERFACES.md."""
import json
from dataclasses import fields, replace
from functools import reduce
from pathlib import Path

import click

from hwsim import files
from hwsim.errors import FileError, UsageError
from hwsim.fixed.formats import Overflow, Rounding
from hwsim.hw.config import config_fields, load_device, override
from hwsim.imaging import cfa
from hwsim.imaging.source import Optics
from hwsim.quantization.config import Config

STLQ_BITS = 4


class Integers(click.ParamType):
    """`count` integers joined by `mark`: 768x512."""

    def __init__(self, name, count, mark):
        self.name, self.count, self.mark = name, count, mark

    def convert(self, value, param, ctx):
        parts = str(value).lower().split(self.mark)
        if len(parts) != self.count or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
            self.fail(f"must be {self.name}, not {value}", param, ctx)
        return tuple(map(int, parts))


class BitsOf(click.ParamType):
    """NAME=A/W."""

    name = "NAME=A/W"

    def convert(self, value, param, ctx):
        layer, mark, bits = str(value).rpartition("=")
        if not mark or not layer:
            self.fail(f"must be NAME=A/W, not {value}", param, ctx)
        return layer, Integers("A/W", 2, "/").convert(bits, param, ctx)


class AutoInteger(click.ParamType):
    """`auto` or an integer."""

    name = "auto|N"

    def convert(self, value, param, ctx):
        if value == "auto" or isinstance(value, int):
            return value
        if not str(value).isascii() or not str(value).isdigit():
            self.fail(f"must be auto or an integer, not {value}", param, ctx)
        return int(value)


def _choice(values):
    return click.Choice(list(map(str, values)))


def grouped(*options):
    """One decorator that adds all `options` in their order."""
    return lambda command: reduce(lambda inner, option: option(inner), reversed(options), command)


QUANTIZATION = grouped(
    click.option("--act-bits", type=int, help="Activation word, bits (2..16).  [default: 11]"),
    click.option("--weight-bits", type=int, help="Weight word, bits.  [default: 8; with stlq 4]"),
    click.option("--acc-bits", type=AutoInteger(), help="Accumulator, bits (8..48), or auto: never overflows.  [default: auto]"),
    click.option("--overflow", type=_choice(Overflow), help="What the accumulator does past its range.  [default: wrap]"),
    click.option("--mult-bits", type=int, help="Requantization multiplier magnitude, bits (4..31).  [default: 16]"),
    click.option("--shift-bits", type=int, help="Field of the requantization shift, bits.  [default: 6]"),
    click.option("--rounding", type=_choice(Rounding), help="Rounding of every requantization.  [default: half-up]"),
    click.option("--weights", type=_choice(("linear", "stlq")), help="Weight format.  [default: linear]"),
    click.option("--two-word-ratio", type=float, help="Fraction of the tiles that take two log words.  [default: 0]"),
    click.option("--granularity", type=_choice(("tile", "filter", "element")), help="What takes two words.  [default: tile]"),
    click.option("--stlq", type=_choice(("literal", "best")), help="Second log word always, or if it helps.  [default: literal]"),
    click.option("--log-u", type=_choice(("max", "mse")), help="Log scale U of a layer.  [default: max]"),
    click.option("--per-channel/--per-tensor", default=None, help="Scales of the weights.  [default: per channel]"),
    click.option("--fold-prelu/--no-fold-prelu", default=None, help="PReLU inside the requantizer.  [default: folded]"),
    click.option("--calib-method", type=_choice(("max", "percentile", "mse")), help="Range of a tensor.  [default: max]"),
    click.option("--headroom", type=float, help="Factor on calibrated ranges.  [default: 1]"),
    click.option("--scale-policy", type=_choice(("calib", "frozen", "lsb")), help="How scales follow A.  [default: calib]"),
    click.option("--scale-ref-bits", type=int, help="A at which frozen scales are computed.  [default: sensor bits + 1]"),
    click.option("--input-bits", type=int, help="Sensor bits B: input codes are the sensor's integers."),
    click.option("--layer-bits", type=BitsOf(), multiple=True, help="Bits of one layer; may be repeated."),
    click.option("--scales", "scales_file", type=click.Path(), help="JSON object: tensor -> fixed scale."),
    click.option("--seed", type=int, help="Seed of whatever is random.  [default: 0]"),
)

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
    click.option("--engine", type=_choice(("fast", "reference", "stepped")), default="fast", show_default=True,
                 help="Which implementation of the integer law runs."),
    click.option("--threads", type=click.IntRange(1), help="Threads of the fast engine.  [default: all cores]"),
)


def optics(given, sensor):
    """The Optics of a command's options; what a shipped model says about its sensor stands in for --cfa."""
    name = given["cfa"] or sensor.get("cfa")
    return Optics(cfa.pattern(name) if name else None, given["raw_size"], given["raw_bits"], given["black"], given["white"])


def fixed_scales(path):
    """tensor -> scale of a --scales file."""
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        why = files.reason(error) if isinstance(error, OSError) else "another text"
        raise FileError(f"{path}: must be a JSON object of scales, not {why}") from error
    if not isinstance(found, dict) or not all(_is_scale(value) for value in found.values()):
        raise FileError(f"{path}: must map tensors to numbers in 1e-30..1e30, not anything else")
    return {name: float(value) for name, value in found.items()}


def _is_scale(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 1e-30 <= value <= 1e30


def layer_bits(pairs):
    """node -> (A, W) of repeated --layer-bits."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UsageError("--layer-bits must name a layer once, not twice")
    return found


DEVICE = grouped(
    click.option("--device", "device_name", help="sensor_npu, diannao or a TOML file; every option overrides its field."),
    click.option("--tn", type=int, help="Inputs per beat, a power of two.  [default: 16]"),
    click.option("--tm", type=int, help="Outputs per tile, a power of two.  [default: 16]"),
    click.option("--dma-bits", type=int, help="Weight bits that DMA brings per cycle; 0: resident.  [default: 0]"),
    click.option("--sb-kb", type=int, help="Weight buffer SB, KiB; 0: unlimited.  [default: 0]"),
    click.option("--nbin-kb", type=int, help="Input buffer NBin, KiB; 0: unlimited.  [default: 0]"),
    click.option("--nbout-kb", type=int, help="Output buffer NBout, KiB; 0: unlimited.  [default: 0]"),
    click.option("--clock-ghz", help="Clock, GHz, an exact decimal.  [default: 1.0]"),
    click.option("--gap", type=int, help="Programming cycles between array layers.  [default: 0]"),
    click.option("--rowpack", is_flag=True, default=None, help="Pack the rows of a first layer with few channels."),
)

DEVICE_FIELDS = {"tn": "TN", "tm": "TM", "weight_bits": "w_bits", "weights": "w_format", "overflow": "acc_mode",
                 "rounding": "round",
                 **{name: name for name in ("act_bits", "acc_bits", "mult_bits", "shift_bits", "dma_bits", "sb_kb", "nbin_kb",
                                            "nbout_kb", "clock_ghz", "gap")}}


CONFIG_FIELDS = {f.name for f in fields(Config)} - {"layer_bits", "scales"}


def _named(given, names):
    """The options of those names that were given."""
    return {name: given[name] for name in names if given.get(name) is not None}


def device_of(given):
    """The effective Device: the TOML file or shipped device, with every option that was given over its field."""
    Config(**_named(given, CONFIG_FIELDS - {"input_bits"}))  # refuses a bad option under the option's own name
    base = load_device(given["device_name"] or "sensor_npu")
    changes = {field: given[name] for name, field in DEVICE_FIELDS.items() if given.get(name) is not None}
    if given.get("fold_prelu") is not None:
        changes["prelu"] = "folded" if given["fold_prelu"] else "unfolded"
    if given.get("weights") == "stlq" and given.get("weight_bits") is None and base.w_format != "stlq":
        changes["w_bits"] = STLQ_BITS
    return override(base, **changes)


def config_of(given, sensor, device):
    """(Config, notes) of a command's options, the device's fields and what the model says of its sensor.

    A sensor whose codes do not fit the activation word is not read as codes: its scale then follows calibration.
    """
    decided = config_fields(device)
    chosen = decided | _named(given, CONFIG_FIELDS - decided.keys())
    chosen |= {"layer_bits": layer_bits(given["layer_bits"]),
               "scales": fixed_scales(given["scales_file"]) if given["scales_file"] else {}}
    bits = sensor.get("input_bits")
    plain = Config(**chosen)
    if bits is None or plain.input_bits is not None:
        return plain, ()
    if plain.scale_policy != "calib" or bits < plain.act_bits:
        return replace(plain, input_bits=bits), ()
    return plain, (f"the sensor's {bits} bits do not fit {plain.act_bits}-bit activations: the input scale follows calibration",)
