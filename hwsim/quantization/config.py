"""Every quantization option, checked once (INTERFACES.md): the same names as on the command line."""
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from hwsim.errors import UsageError
from hwsim.fixed.formats import Overflow, Rounding
from hwsim.quantization.quantizers.quantizer import Quantizer
from hwsim.quantization.quantizers.registry import QUANTIZERS
from hwsim.quantization.scale_policy import POLICIES, policy_of

RANGES = {"act_bits": (2, 16), "weight_bits": (2, 16), "acc_bits": (8, 48), "mult_bits": (4, 31), "shift_bits": (1, 6),
          "scale_ref_bits": (2, 16), "input_bits": (1, 15), "two_word_ratio": (0, 1), "headroom": (0.01, 100)}
CHOICES = {"overflow": tuple(map(str, Overflow)), "rounding": tuple(map(str, Rounding)), "weights": QUANTIZERS,
           "granularity": ("tile", "filter", "element"), "calib_method": ("max", "percentile", "mse"),
           "scale_policy": tuple(POLICIES), "stlq": ("literal", "best"), "log_u": ("max", "mse")}


@dataclass(frozen=True)
class Config:
    """How a float network becomes integers. layer_bits: node -> (A, W); scales: tensor -> fixed scale (real value of one LSB)."""

    act_bits: int = 11
    weight_bits: int | None = None      # None: 8 linear, 4 stlq
    acc_bits: int | str = "auto"
    overflow: str = "wrap"
    mult_bits: int = 16
    rounding: str = "half-up"
    weights: str = "linear"
    two_word_ratio: float = 0.0
    granularity: str = "tile"
    per_channel: bool | None = None     # None: per channel for linear weights; log weights have one scale a layer
    fold_prelu: bool = True
    calib_method: str = "max"
    headroom: float = 1.0
    scale_policy: str = "calib"
    scale_ref_bits: int | None = None   # None: the sensor's bits + 1, else act_bits
    input_bits: int | None = None
    seed: int = 0
    tn: int = 16
    tm: int = 16
    shift_bits: int = 6
    rowpack: bool = False
    stlq: str = "literal"
    log_u: str = "max"
    layer_bits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in tuple(allowed):
                raise UsageError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        policy_of(self).check(self)
        self.quantizer.check(self)
        for layer, bits in self.layer_bits.items():
            self._check_layer(layer, *bits)

    def _check_layer(self, layer: str, act_bits: int, weight_bits: int) -> None:
        _check_range(f"act_bits of {layer}", act_bits, *RANGES["act_bits"])
        _check_range(f"weight_bits of {layer}", weight_bits, *self.quantizer.weight_bits)

    @property
    def quantizer(self) -> Quantizer:
        """What decides codes, words and scales: the option `weights` by its name."""
        return QUANTIZERS[self.weights]

    @property
    def w_bits(self) -> int:
        """Bits of a weight word, where layer_bits says nothing else."""
        return self.quantizer.default_bits if self.weight_bits is None else self.weight_bits

    @property
    def channel_scales(self) -> bool:
        """Whether every output channel has a weight scale of its own."""
        return self.quantizer.channel_scales if self.per_channel is None else self.per_channel

    def bits_of(self, layer: str) -> tuple[int, int]:
        """(A, W) of a layer: its own entry in layer_bits, or the network's."""
        return self.layer_bits.get(layer, (self.act_bits, self.w_bits))

    def as_json(self) -> dict[str, object]:
        """The options as plain JSON values, keys as in the reports."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found |= {"weight_bits": self.w_bits, "per_channel": self.channel_scales}
        found["layer_bits"] = {name: list(bits) for name, bits in sorted(self.layer_bits.items())}
        return found | {"scales": dict(sorted(self.scales.items()))}


def _check_range(name, value, low, high):
    if value is None or (name == "acc_bits" and value == "auto"):
        return
    whole = name not in ("two_word_ratio", "headroom")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        raise UsageError(f"{name} must be {low}..{high}, not {value}")
