"""A device: the widths, rules, buffers and clock of one accelerator, read from a flat TOML file (DEVICE.md)."""
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib import resources
from pathlib import Path

from hwsim.errors import FileError, UsageError
from hwsim.files import reason
from hwsim.fixed.formats import Datapath, Overflow, Rounding

SHIPPED = ("sensor_npu", "diannao")
MAX_FILE = 1 << 16
SLOWEST = Decimal("1e-9")     # 1 Hz
KIB = 8 * 1024

RANGES = {"act_bits": (2, 16), "w_bits": (2, 16), "acc_bits": (8, 48), "mult_bits": (4, 31), "shift_bits": (1, 6),
          "dma_bits": (0, 1 << 20), "sb_kb": (0, 1 << 24), "nbin_kb": (0, 1 << 24), "nbout_kb": (0, 1 << 24),
          "gap": (0, 1 << 30)}
CHOICES = {"w_format": ("linear", "stlq"), "acc_mode": tuple(map(str, Overflow)), "round": tuple(map(str, Rounding)),
           "prelu": ("folded", "unfolded")}


@dataclass(frozen=True)
class Device:
    """One device, every field checked. acc_bits may be "auto"; dma_bits 0: weights are resident; *_kb 0: unlimited."""

    TN: int = 16
    TM: int = 16
    act_bits: int = 11
    w_bits: int = 8
    w_format: str = "linear"
    acc_bits: int | str = "auto"
    acc_mode: str = "wrap"
    mult_bits: int = 16
    shift_bits: int = 6
    round: str = "half-up"
    prelu: str = "folded"
    dma_bits: int = 0
    sb_kb: int = 0
    nbin_kb: int = 0
    nbout_kb: int = 0
    clock_ghz: Decimal = Decimal(1)
    gap: int = 0

    def __post_init__(self):
        for name in ("TN", "TM"):
            _check_power(name, getattr(self, name))
        for name, (low, high) in RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.w_format == "stlq" and self.w_bits > 5:
            raise UsageError(f"w_bits must be 2..5 for stlq weights, not {self.w_bits}")
        if self.round == "gemmlowp" and self.mult_bits != 31:
            raise UsageError(f"mult_bits must be 31 for gemmlowp rounding, not {self.mult_bits}")
        object.__setattr__(self, "clock_ghz", _clock(self.clock_ghz))

    @property
    def pes(self):
        """Multipliers of the array."""
        return self.TN * self.TM

    @property
    def peak_ops(self):
        """Operations per cycle: every multiply and every add of the trees (256 + 240 for 16 x 16)."""
        return self.pes + self.TM * (self.TN - 1)

    @property
    def clock_hz(self):
        return Fraction(self.clock_ghz) * 10 ** 9

    def sb_word_bits(self, w_bits=None):
        """Bits of one SB word: a weight for every multiplier."""
        return self.pes * (w_bits or self.w_bits)

    def frames_per_second(self, cycles):
        """Exact ratio of frames per second at `cycles` per frame; None when nothing takes a cycle."""
        return self.clock_hz * Fraction(1, cycles) if cycles else None

    def as_json(self):
        """The keys of the TOML file; the clock as its decimal text."""
        return {**asdict(self), "clock_ghz": str(self.clock_ghz)}


def load_device(name_or_path="sensor_npu"):
    """The Device of a TOML file, or a shipped one by its name (sensor_npu, diannao)."""
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


def override(device, **changes):
    """`device` with some fields changed and all checked again; None leaves a field as it is."""
    known = [field.name for field in fields(Device)]
    for name in changes:
        if name not in known:
            raise UsageError(f"a device key must be one of {', '.join(known)}, not {name!r}")
    return replace(device, **{name: value for name, value in changes.items() if value is not None})


def to_toml(device):
    """The device as the text of a TOML file that load_device reads back."""
    def value(item):
        return f'"{item}"' if isinstance(item, str) else str(item)
    return "".join(f"{field.name} = {value(getattr(device, field.name))}\n" for field in fields(Device))


def config_fields(device):
    """The fields of quantization.Config that the device decides."""
    return {"act_bits": device.act_bits, "weight_bits": device.w_bits, "weights": device.w_format,
            "acc_bits": device.acc_bits, "overflow": device.acc_mode, "mult_bits": device.mult_bits,
            "shift_bits": device.shift_bits, "rounding": device.round, "fold_prelu": device.prelu == "folded",
            "tn": device.TN, "tm": device.TM}


def datapath(device, acc_bits=None):
    """The Datapath of the device; `acc_bits` settles a device whose accumulator is auto."""
    bits = device.acc_bits if acc_bits is None else acc_bits
    if bits == "auto":
        raise UsageError("acc_bits must be a number here, not auto")
    return Datapath(bits, Overflow(device.acc_mode), Rounding(device.round), device.mult_bits, device.shift_bits,
                    device.prelu == "folded", device.TN, device.TM)


def of_network(device, net):
    """The device with the widths and rules that the integer network `net` was made for."""
    path, made = net.datapath, net.meta.get("config", {})
    words = {"act_bits": made.get("act_bits"), "w_bits": made.get("weight_bits"),
             "w_format": _weight_format(net, made.get("weights"))}
    return override(device, **words, TN=path.tn, TM=path.tm, acc_bits=path.acc_bits, acc_mode=str(path.acc_mode),
                    mult_bits=path.mult_bits, shift_bits=path.shift_bits, round=str(path.rounding),
                    prelu="folded" if path.folded else "unfolded")


def _weight_format(net, quantizer):
    """How the array reads the weights of `net`, made by the quantizer of that name: what its layers say; None: not known."""
    if quantizer is None:
        return None
    formats = (node.params["w_format"] for node in net.nodes if "w_format" in node.params)
    return next(formats, quantizer if quantizer in CHOICES["w_format"] else None)


def _text(name_or_path):
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


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _check_power(name, value):
    if not _is_int(value) or not 1 <= value <= 64 or value & (value - 1):
        raise UsageError(f"{name} must be a power of two in 1..64, not {value!r}")


def _check_range(name, value, low, high):
    if name == "acc_bits" and value == "auto":
        return
    if not _is_int(value) or not low <= value <= high:
        auto = " or auto" if name == "acc_bits" else ""
        raise UsageError(f"{name} must be {low}..{high}{auto}, not {value!r}")


def _clock(value):
    """The clock as an exact decimal; a binary float is none."""
    try:
        clock = Decimal(value) if isinstance(value, (str, Decimal)) or _is_int(value) else None
    except InvalidOperation:
        clock = None
    if clock is None or not clock.is_finite() or not SLOWEST <= clock <= 1000:
        raise UsageError(f"clock_ghz must be an exact decimal in {SLOWEST}..1000, not {value}")
    return clock
