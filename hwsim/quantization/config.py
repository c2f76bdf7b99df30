"""Every quantization option, checked once (spec/interfaces.md section 5): the same names as on the command line."""
from collections.abc import Mapping
from dataclasses import dataclass, fields

from hwsim.errors import UsageError
from hwsim.settings import FROM_SCHEMA, LOG_BITS, WORD_BITS, Choice, Kind, check, fields_of, setting


@dataclass(frozen=True)
@fields_of("config")
class Config:
    """How a float network becomes integers. layer_bits: node -> (A, W); scales: tensor -> fixed scale (real value of one LSB).

    Values and defaults are those of hwsim.settings. Errors: UsageError.
    """

    act_bits: int = FROM_SCHEMA
    weight_bits: int | None = FROM_SCHEMA       # None: 8 linear, 4 stlq
    acc_bits: int | str = FROM_SCHEMA
    overflow: str = FROM_SCHEMA
    mult_bits: int = FROM_SCHEMA
    rounding: str = FROM_SCHEMA
    weights: str = FROM_SCHEMA
    two_word_ratio: float = FROM_SCHEMA
    granularity: str = FROM_SCHEMA
    per_channel: bool | None = FROM_SCHEMA      # None: per channel for linear weights; log weights have one scale a layer
    fold_prelu: bool = FROM_SCHEMA
    calib_method: str = FROM_SCHEMA
    headroom: float = FROM_SCHEMA
    scale_policy: str = FROM_SCHEMA
    scale_ref_bits: int | None = FROM_SCHEMA    # None: the sensor's bits + 1, else act_bits
    input_bits: int | None = FROM_SCHEMA
    seed: int = FROM_SCHEMA
    tn: int = FROM_SCHEMA
    tm: int = FROM_SCHEMA
    shift_bits: int = FROM_SCHEMA
    rowpack: bool = FROM_SCHEMA
    stlq: str = FROM_SCHEMA
    log_u: str = FROM_SCHEMA
    layer_bits: Mapping[str, tuple[int, int]] = FROM_SCHEMA
    scales: Mapping[str, float] = FROM_SCHEMA

    def __post_init__(self) -> None:
        check(self, "config", _refused)
        if self.input_bits is not None and self.input_bits + 1 > self.act_bits and self.scale_policy == "calib":
            raise UsageError(f"input_bits must be at most act_bits - 1 = {self.act_bits - 1}, not {self.input_bits}")
        if self.weights == "stlq" and not LOG_BITS.allows(self.w_bits):
            raise UsageError(f"weight_bits must be {LOG_BITS} for stlq weights, not {self.w_bits}")
        if self.weights == "stlq" and self.per_channel:
            raise UsageError("per_channel must be off for stlq weights, whose scale is one per layer, not on")
        for layer, bits in self.layer_bits.items():
            self._check_layer(layer, *bits)

    def _check_layer(self, layer: str, act_bits: int, weight_bits: int) -> None:
        weight_kind = LOG_BITS if self.weights == "stlq" else setting("weight_bits").kind
        for name, kind, bits in (("act_bits", setting("act_bits").kind, act_bits), ("weight_bits", weight_kind, weight_bits)):
            if not kind.allows(bits):
                raise _refused(f"{name} of {layer}", kind, bits)

    @property
    def w_bits(self) -> int:
        """Bits of a weight word."""
        return WORD_BITS[self.weights] if self.weight_bits is None else self.weight_bits

    @property
    def channel_scales(self) -> bool:
        """Whether every output channel has a weight scale of its own."""
        return self.weights == "linear" if self.per_channel is None else self.per_channel

    def bits_of(self, layer: str) -> tuple[int, int]:
        """(A, W) of a layer: its own entry in layer_bits, or the network's."""
        return self.layer_bits.get(layer, (self.act_bits, self.w_bits))

    def as_json(self) -> dict[str, object]:
        """The options as plain JSON values, keys as in the reports."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {"weight_bits": self.w_bits, "per_channel": self.channel_scales,
                        "layer_bits": {name: list(bits) for name, bits in sorted(self.layer_bits.items())},
                        "scales": dict(sorted(self.scales.items()))}


def _refused(name: str, kind: Kind, value: object) -> UsageError:
    shown = repr(value) if isinstance(kind, Choice) else value
    return UsageError(f"{name} must be {kind}, not {shown}")
