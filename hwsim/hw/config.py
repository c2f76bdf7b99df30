"""A device: the widths, rules, buffers and clock of one accelerator, read from a flat TOML file (spec/device.md section 1)."""
from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.errors import FileError, UsageError
from hwsim.files import reason
from hwsim.fixed.formats import Datapath, check_multiplier
from hwsim.ops.weights import FORMATS
from hwsim.settings import (
    AUTO,
    CLOCK,
    FROM_SCHEMA,
    Integer,
    Kind,
    check,
    fields_of,
    translate,
    translate_given,
)

if TYPE_CHECKING:
    from hwsim.graph.integer import IntegerGraph

SHIPPED = ("sensor_npu", "diannao")
MAX_FILE = 1 << 16
KIB = 8 * 1024


@dataclass(frozen=True)
@fields_of("device")
class Device:
    """One device, every field checked. acc_bits may be "auto"; dma_bits 0: weights are resident; *_kb: KiB, 0: unlimited.

    Keys, values and defaults are those of hwsim.settings. Errors: UsageError.
    """

    TN: int = FROM_SCHEMA
    TM: int = FROM_SCHEMA
    act_bits: int = FROM_SCHEMA
    w_bits: int = 8                             # a device is built for one word; Config leaves it to the quantizer
    w_format: str = FROM_SCHEMA
    acc_bits: int | str = FROM_SCHEMA
    acc_mode: str = FROM_SCHEMA
    mult_bits: int = FROM_SCHEMA
    shift_bits: int = FROM_SCHEMA
    round: str = FROM_SCHEMA
    prelu: str = FROM_SCHEMA
    dma_bits: int = FROM_SCHEMA
    sb_kb: int = FROM_SCHEMA
    nbin_kb: int = FROM_SCHEMA
    nbout_kb: int = FROM_SCHEMA
    clock_ghz: Decimal = FROM_SCHEMA
    gap: int = FROM_SCHEMA

    def __post_init__(self) -> None:
        check(self, "device", _refused)
        low, high = FORMATS[self.w_format].legal_bits
        if not low <= self.w_bits <= high:
            raise UsageError(f"w_bits must be {low}..{high} for {self.w_format} weights, not {self.w_bits}")
        check_multiplier(self.round, self.mult_bits)
        object.__setattr__(self, "clock_ghz", CLOCK.read("clock_ghz", self.clock_ghz))

    @property
    def pes(self) -> int:
        """Multipliers of the array."""
        return self.TN * self.TM

    @property
    def peak_ops(self) -> int:
        """Operations per cycle: every multiply and every add of the trees (256 + 240 for 16 x 16)."""
        return self.pes + self.TM * (self.TN - 1)

    @property
    def clock_hz(self) -> Fraction:
        """The clock, exact."""
        return Fraction(self.clock_ghz) * 10 ** 9

    def sb_word_bits(self, w_bits: int | None = None) -> int:
        """Bits of one SB word: a weight for every multiplier."""
        return self.pes * (w_bits or self.w_bits)

    def frames_per_second(self, cycles: int) -> Fraction | None:
        """Exact ratio of frames per second at `cycles` per frame; None when nothing takes a cycle."""
        return self.clock_hz * Fraction(1, cycles) if cycles else None

    def as_json(self) -> dict[str, Any]:
        """The keys of the TOML file; the clock as its decimal text."""
        return {**asdict(self), "clock_ghz": str(self.clock_ghz)}


def load_device(name_or_path: str | Path = "sensor_npu") -> Device:
    """The Device of a TOML file, or a shipped one by its name (sensor_npu, diannao). Errors: FileError, UsageError."""
    text = _text(name_or_path)
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise FileError(f"{name_or_path}: a device must be a flat TOML file, not nested values") from None
    except InvalidOperation:
        raise FileError(f"{name_or_path}: a device must be TOML, not numbers beyond all bounds") from None
    except ValueError as error:     # TOMLDecodeError, or an integer of too many digits
        raise FileError(f"{name_or_path}: a device must be TOML, not {reason(error)}") from None
    try:
        return override(Device(), **table)
    except UsageError as error:
        raise UsageError(f"{name_or_path}: {error}") from None


def override(device: Device, **changes: Any) -> Device:
    """`device` with some fields changed and all checked again; None leaves a field as it is. Errors: UsageError."""
    known = [field.name for field in fields(Device)]
    for name in changes:
        if name not in known:
            raise UsageError(f"a device key must be one of {', '.join(known)}, not {name!r}")
    return replace(device, **{name: value for name, value in changes.items() if value is not None})


def to_toml(device: Device) -> str:
    """The device as the text of a TOML file that load_device reads back."""
    def value(item: object) -> str:
        return f'"{item}"' if isinstance(item, str) else str(item)
    return "".join(f"{field.name} = {value(getattr(device, field.name))}\n" for field in fields(Device))


def config_fields(device: Device) -> dict[str, Any]:
    """The fields of quantization.Config that the device decides."""
    return translate(vars(device), "device", "config")


def datapath(device: Device, acc_bits: int | None = None) -> Datapath:
    """The Datapath of the device; `acc_bits` settles a device whose accumulator is auto. Errors: UsageError if none does."""
    bits = device.acc_bits if acc_bits is None else acc_bits
    if bits == AUTO:
        raise UsageError("acc_bits must be a number here, not auto")
    return Datapath.from_json(translate(vars(device), "device", "datapath") | {"acc_bits": bits})


def of_network(device: Device, net: IntegerGraph) -> Device:
    """The device with the widths and rules that the integer network `net` was made for."""
    options: Any = net.meta.get("config", {})
    words = translate_given(options, "config", "device") | {"w_format": _weight_format(net, options.get("weights"))}
    return override(device, **words | translate(net.datapath.as_json(), "datapath", "device"))


def _weight_format(net: IntegerGraph, quantizer: str | None) -> str | None:
    """How the array reads the weights of `net`, made by the quantizer of that name: what its layers say; None: not known."""
    if quantizer is None:
        return None
    formats = (node.params["w_format"] for node in net.nodes if "w_format" in node.params)
    return next(formats, quantizer if quantizer in FORMATS else None)


def _text(name_or_path: str | Path) -> str:
    if name_or_path in SHIPPED:
        return resources.files("hwsim.hw").joinpath("devices", f"{name_or_path}.toml").read_text("utf-8")
    path = Path(name_or_path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise FileError(f"{path}: a device file must be at most {MAX_FILE} bytes, not more")
        return data.decode()
    except OSError as error:
        raise FileError(f"{path}: a device must be a TOML file or one of {', '.join(SHIPPED)}, not {reason(error)}") from None
    except UnicodeDecodeError:
        raise FileError(f"{path}: a device must be UTF-8 text, not binary data") from None


def _refused(name: str, kind: Kind, value: object) -> UsageError:
    auto = f" or {AUTO}" if isinstance(kind, Integer) and kind.auto else ""
    return UsageError(f"{name} must be {kind}{auto}, not {value!r}")
