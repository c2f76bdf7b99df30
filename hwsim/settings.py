"""Every setting of a network and its device, once: its name, values, default, help, and what each record calls it.

Derived from SETTINGS: the fields, defaults and checks of quantization.Config, hw.Device and fixed.Datapath, the keys of the
device file, the keys of `config` and `device` in JSON, and the options of the command line with their help. A new key is
one entry here and the code that reads it; its annotation in the class body is for the type checker (a test asks for it).
"""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeGuard, TypeVar

from hwsim.errors import UsageError

Record = Literal["option", "config", "device", "datapath"]
T = TypeVar("T")

FROM_SCHEMA: Any = object()     # stands in a class body for the default of the setting
AUTO = "auto"


def is_int(value: object) -> TypeGuard[int]:
    """Whether `value` is a Python integer; True and False do not count."""
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True)
class Kind:
    """Which values a setting takes: here any, because the record that has the field checks it."""

    def allows(self, value: object) -> bool:
        """Whether `value` is one of them."""
        return True

    def in_device(self) -> "Kind":
        """The kind of the key in the device file."""
        return self

    def to_device(self, value: Any) -> Any:
        """A value of Config or Datapath in the words of the device file."""
        return value

    def from_device(self, value: Any) -> Any:
        """A value of the device file in the words of Config and Datapath."""
        return value


@dataclass(frozen=True)
class Integer(Kind):
    """An integer in low..high (None: unbounded); with `auto`, also the word auto."""

    low: int | None = None
    high: int | None = None
    auto: bool = False

    def allows(self, value: Any) -> bool:
        if self.auto and value == AUTO:
            return True
        return is_int(value) and (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        return "an integer" if self.low is None else f"{self.low}..{self.high}"


@dataclass(frozen=True)
class Power(Kind):
    """A power of two in 1..high."""

    high: int

    def allows(self, value: Any) -> bool:
        return is_int(value) and 1 <= value <= self.high and not value & (value - 1)

    def __str__(self) -> str:
        return f"a power of two in 1..{self.high}"


@dataclass(frozen=True)
class Real(Kind):
    """A real number in low..high."""

    low: float
    high: float

    def allows(self, value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    def allows(self, value: object) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Registered(Kind):
    """A name in the registry of quantizers, which Config checks; words: what the device file knows."""

    words: tuple[str, ...]

    def in_device(self) -> Kind:
        return Choice(self.words)


@dataclass(frozen=True)
class Switch(Kind):
    """True or False; off: the option that turns it off; words: (True, False) in the device file."""

    off: str | None = None
    words: tuple[str, str] = ("", "")

    def in_device(self) -> Kind:
        return Choice(self.words)

    def to_device(self, value: object) -> str:
        return self.words[0 if value else 1]

    def from_device(self, value: object) -> bool:
        return value == self.words[0]


@dataclass(frozen=True)
class ExactDecimal(Kind):
    """A decimal number in low..high that no binary float stands for."""

    low: Decimal
    high: Decimal

    def read(self, name: str, value: Any) -> Decimal:
        """The number that `value` (text, integer or Decimal) writes. Errors: UsageError, a binary float included."""
        try:
            number = Decimal(value) if isinstance(value, (str, Decimal)) or is_int(value) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or not self.low <= number <= self.high:
            raise UsageError(f"{name} must be {self}, not {value}")
        return number

    def __str__(self) -> str:
        return f"an exact decimal in {self.low}..{self.high}"


@dataclass(frozen=True)
class BitsByLayer(Kind):
    """node -> (activation bits, weight bits)."""


@dataclass(frozen=True)
class ScaleByTensor(Kind):
    """tensor -> the real value of one LSB."""


@dataclass(frozen=True)
class Setting:
    """One setting. `name` is the option (with dashes), its JSON key and, where `config`, the field of Config.

    default: a value, None where it is decided later; help: a sentence, in which {kind} is the range; shown: the default as
    help shows it, if other than itself; group: the options it stands among; device, datapath: key in the device file, field
    of Datapath, "" if it has none.
    """

    name: str
    kind: Kind
    default: Any
    help: str
    shown: str = ""
    group: Literal["quantization", "device"] = "quantization"
    config: bool = True
    device: str = ""
    datapath: str = ""

    def name_in(self, record: Record) -> str:
        """What `record` calls it, "" if it has no such field."""
        names = {"option": self.name, "config": self.name if self.config else "", "device": self.device,
                 "datapath": self.datapath}
        return names[record]

    def kind_in(self, record: Record) -> Kind:
        """Which values `record` takes for it."""
        return self.kind.in_device() if record == "device" else self.kind

    def default_in(self, record: Record) -> Any:
        """Its default in the words of `record`."""
        return self.kind.to_device(self.default) if record == "device" else self.default

    @property
    def help_text(self) -> str:
        """The help of its option: the sentence with its default."""
        plain = f"{self.default:g}" if isinstance(self.default, float) else str(self.default)
        known = self.default is not None and not isinstance(self.kind, (Switch, BitsByLayer, ScaleByTensor))
        default = self.shown or (plain if known else "")
        return self.help.format(kind=self.kind) + (f"  [default: {default}]" if default else "")


CLOCK = ExactDecimal(Decimal("1e-9"), Decimal(1000))        # 1 Hz..1 THz

SETTINGS: tuple[Setting, ...] = (
    Setting("act_bits", Integer(2, 16), 11, "Activation word, bits ({kind}).", device="act_bits"),
    Setting("weight_bits", Integer(2, 16), None, "Weight word, bits.", shown="8; with stlq 4", device="w_bits"),
    Setting("acc_bits", Integer(8, 48, auto=True), AUTO, "Accumulator, bits ({kind}), or auto: never overflows.",
            device="acc_bits", datapath="acc_bits"),
    Setting("overflow", Choice(("wrap", "saturate", "error")), "wrap", "What the accumulator does past its range.",
            device="acc_mode", datapath="acc_mode"),
    Setting("mult_bits", Integer(4, 31), 16, "Requantization multiplier magnitude, bits ({kind}).",
            device="mult_bits", datapath="mult_bits"),
    Setting("shift_bits", Integer(1, 6), 6, "Field of the requantization shift, bits.",
            device="shift_bits", datapath="shift_bits"),
    Setting("rounding", Choice(("half-up", "half-away", "half-even", "floor", "gemmlowp")), "half-up",
            "Rounding of every requantization.", device="round", datapath="rounding"),
    Setting("weights", Registered(("linear", "stlq")), "linear", "Weight format.", device="w_format"),
    Setting("two_word_ratio", Real(0, 1), 0.0, "Fraction of the tiles that take two log words."),
    Setting("granularity", Choice(("tile", "filter", "element")), "tile", "What takes two words."),
    Setting("stlq", Choice(("literal", "best")), "literal", "Second log word always, or if it helps."),
    Setting("log_u", Choice(("max", "mse")), "max", "Log scale U of a layer."),
    Setting("per_channel", Switch("per-tensor"), None, "Scales of the weights.", shown="per channel"),
    Setting("fold_prelu", Switch("no-fold-prelu", ("folded", "unfolded")), True, "PReLU inside the requantizer.",
            shown="folded", device="prelu", datapath="folded"),
    Setting("calib_method", Choice(("max", "percentile", "mse")), "max", "Range of a tensor."),
    Setting("headroom", Real(0.01, 100), 1.0, "Factor on calibrated ranges."),
    Setting("scale_policy", Choice(("calib", "frozen", "lsb")), "calib", "How scales follow A."),
    Setting("scale_ref_bits", Integer(2, 16), None, "A at which frozen scales are computed.", shown="sensor bits + 1"),
    Setting("input_bits", Integer(1, 15), None, "Sensor bits B: input codes are the sensor's integers."),
    Setting("layer_bits", BitsByLayer(), {}, "Bits of one layer; may be repeated."),
    Setting("scales", ScaleByTensor(), {}, "JSON object: tensor -> fixed scale."),
    Setting("seed", Integer(), 0, "Seed of whatever is random."),
    Setting("tn", Power(64), 16, "Inputs per beat, a power of two.", group="device", device="TN", datapath="tn"),
    Setting("tm", Power(64), 16, "Outputs per tile, a power of two.", group="device", device="TM", datapath="tm"),
    Setting("dma_bits", Integer(0, 1 << 20), 0, "Weight bits that DMA brings per cycle; 0: resident.",
            group="device", config=False, device="dma_bits"),
    Setting("sb_kb", Integer(0, 1 << 24), 0, "Weight buffer SB, KiB; 0: unlimited.",
            group="device", config=False, device="sb_kb"),
    Setting("nbin_kb", Integer(0, 1 << 24), 0, "Input buffer NBin, KiB; 0: unlimited.",
            group="device", config=False, device="nbin_kb"),
    Setting("nbout_kb", Integer(0, 1 << 24), 0, "Output buffer NBout, KiB; 0: unlimited.",
            group="device", config=False, device="nbout_kb"),
    Setting("clock_ghz", CLOCK, Decimal(1), "Clock, GHz, an exact decimal.", shown="1.0",
            group="device", config=False, device="clock_ghz"),
    Setting("gap", Integer(0, 1 << 30), 0, "Programming cycles between array layers.",
            group="device", config=False, device="gap"),
    Setting("rowpack", Switch(), False, "Pack the rows of a first layer with few channels.", group="device"),
)


def setting(name: str) -> Setting:
    """The setting of that name."""
    return next(entry for entry in SETTINGS if entry.name == name)


def of_record(record: Record) -> dict[str, Setting]:
    """field or key of `record` -> its setting, in the order of SETTINGS."""
    return {entry.name_in(record): entry for entry in SETTINGS if entry.name_in(record)}


def fields_of(record: Record) -> Callable[[type[T]], type[T]]:
    """Under @dataclass: gives a class body the fields and defaults that SETTINGS has for `record`.

    The body annotates them in the order of its keys; FROM_SCHEMA takes the default of the setting, another value stays.
    A setting that the body does not annotate comes last. Errors: TypeError for a FROM_SCHEMA that no setting stands for.
    """
    def complete(cls: type[T]) -> type[T]:
        for name, entry in of_record(record).items():
            cls.__annotations__.setdefault(name, object)
            if cls.__dict__.get(name, FROM_SCHEMA) is FROM_SCHEMA:
                setattr(cls, name, _dataclass_default(entry.default_in(record)))
        missing = [name for name in cls.__annotations__ if cls.__dict__.get(name) is FROM_SCHEMA]
        if missing:
            raise TypeError(f"every field of {cls.__name__} must be in SETTINGS, not {', '.join(missing)}")
        return cls
    return complete


def _dataclass_default(value: Any) -> Any:
    return field(default_factory=dict) if isinstance(value, dict) else value


def check(values: object, record: Record, refuse: Callable[[str, Kind, Any], UsageError]) -> None:
    """Raises refuse(name, kind, value) for the first field of `values` outside its setting: numbers first, then choices.

    Where the default is None, None is a value of the field.
    """
    entries = of_record(record).items()
    for name, entry in sorted(entries, key=lambda item: isinstance(item[1].kind_in(record), Choice)):
        value, kind = getattr(values, name), entry.kind_in(record)
        optional = record == "config" and entry.default is None
        if not (value is None and optional) and not kind.allows(value):
            raise refuse(name, kind, value)


def translate(values: Mapping[str, Any], source: Record, target: Record) -> dict[str, Any]:
    """The settings that both records have, by their names and in the words of `target`. Errors: KeyError if one is missing."""
    return {entry.name_in(target): _in_words(entry.kind, values[entry.name_in(source)], source, target)
            for entry in SETTINGS if entry.name_in(source) and entry.name_in(target)}


def translate_given(values: Mapping[str, Any], source: Record, target: Record) -> dict[str, Any]:
    """Like `translate`, of those settings alone that `values` has and that are not None."""
    return {entry.name_in(target): _in_words(entry.kind, values[entry.name_in(source)], source, target)
            for entry in SETTINGS if entry.name_in(target) and values.get(entry.name_in(source)) is not None}


def _in_words(kind: Kind, value: Any, source: Record, target: Record) -> Any:
    plain = kind.from_device(value) if source == "device" else value
    return kind.to_device(plain) if target == "device" else plain
