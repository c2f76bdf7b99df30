"""The words of the datapath: integer formats and the named rules of every narrowing.

spec/arithmetic.md sections 1, 2 and 4. Nothing here computes; it says which integers exist.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from hwsim.errors import UsageError
from hwsim.settings import FROM_SCHEMA, Kind, check, fields_of, is_int, setting

if TYPE_CHECKING:
    import numpy as np

Integers = TypeVar("Integers", int, "np.ndarray")
"""A Python integer of any size, an int64 array, or an object array of Python integers: what the rules of fixed are exact on."""


@dataclass(frozen=True)
class IntFormat:
    """A two's-complement integer word: `bits` wide (1..63), signed or not.

    `narrow` drops the lowest code of a signed word, so that the range is symmetric.
    """

    bits: int
    signed: bool = True
    narrow: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.bits, int) or not 1 <= self.bits <= 63:
            raise UsageError(f"integer width must be 1..63 bits, not {self.bits}")
        if self.narrow and not self.signed:
            raise UsageError("a narrow format must be signed, not unsigned")

    @property
    def min(self) -> int:
        """The lowest code: -2^(bits-1), one more for a narrow format, 0 for an unsigned one."""
        return -(1 << (self.bits - 1)) + self.narrow if self.signed else 0

    @property
    def max(self) -> int:
        """The highest code: 2^(bits-1) - 1, or 2^bits - 1 for an unsigned format."""
        return (1 << (self.bits - self.signed)) - 1

    def __contains__(self, value: int) -> bool:
        return self.min <= value <= self.max

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}{'n' if self.narrow else ''}"

    @property
    def largest(self) -> int:
        """The largest magnitude of a value."""
        return max(-self.min, self.max)

    @classmethod
    def parse(cls, text: str) -> IntFormat:
        """The format that prints as `text`: i11, u10, i8n. Errors: UsageError."""
        body = text[1:-1] if text.endswith("n") else text[1:]
        if text[:1] not in ("i", "u") or not body.isascii() or not body.isdigit():
            raise UsageError(f"format must be like i11, u10 or i8n, not {text!r}")
        return cls(int(body), text[0] == "i", text.endswith("n"))


class Rounding(str, Enum):
    """How `p / 2**s` becomes an integer (s > 0). Names clash between tools: the formula is the rule."""

    HALF_UP = "half-up"      # (p + 2^(s-1)) >> s
    HALF_AWAY = "half-away"  # half-up on the magnitude, sign restored
    HALF_EVEN = "half-even"  # nearest, ties to the even result
    FLOOR = "floor"          # p >> s
    GEMMLOWP = "gemmlowp"    # doubling high multiply, then divide by 2^(s-31); 31-bit multipliers only

    def __str__(self) -> str:
        return self.value

    @property
    def formula(self) -> str:
        """The rule as text, for reports and READMEs."""
        return FORMULAS[self]


FORMULAS = {
    Rounding.HALF_UP: "(p + 2^(s-1)) >> s",
    Rounding.HALF_AWAY: "sign(p) * ((|p| + 2^(s-1)) >> s)",
    Rounding.HALF_EVEN: "nearest of p/2^s, ties to the even result",
    Rounding.FLOOR: "p >> s",
    Rounding.GEMMLOWP: "h = trunc((p + (2^30 if p >= 0 else 1-2^30)) / 2^31) saturated to 32 bits, "
                       "then h/2^(s-31) to nearest, ties away from zero",
}


class Overflow(str, Enum):
    """What a word does with a value outside its range."""

    WRAP = "wrap"          # modulo 2^bits
    SATURATE = "saturate"  # the nearest end
    ERROR = "error"        # the run stops

    def __str__(self) -> str:
        return self.value


def check_multiplier(rounding: str, mult_bits: int) -> None:
    """Raises UsageError unless multipliers of `mult_bits` can be rounded by that rule: gemmlowp's are 31 bits wide."""
    if rounding == Rounding.GEMMLOWP and mult_bits != 31:
        raise UsageError(f"mult_bits must be 31 for gemmlowp rounding, not {mult_bits}")


@dataclass(frozen=True)
@fields_of("datapath")
class Datapath:
    """The widths and rules that all array layers of a network share (spec/device.md section 1; values as in hwsim.settings).

    `tn` inputs are summed exactly per beat before the accumulator's overflow rule applies. Errors: UsageError.
    """

    acc_bits: int = 48                          # the widest; `auto` is settled before there is a datapath
    acc_mode: Overflow = Overflow(setting("overflow").default)
    rounding: Rounding = Rounding(setting("rounding").default)
    mult_bits: int = FROM_SCHEMA
    shift_bits: int = FROM_SCHEMA
    folded: bool = FROM_SCHEMA
    tn: int = FROM_SCHEMA
    tm: int = FROM_SCHEMA

    def __post_init__(self) -> None:
        check(self, "datapath", _refused)
        if not is_int(self.acc_bits):
            raise _refused("acc_bits", setting("acc_bits").kind, self.acc_bits)
        check_multiplier(self.rounding, self.mult_bits)

    @classmethod
    def from_json(cls, words: Mapping[str, Any]) -> Datapath:
        """The Datapath of plain values, the rules by their names: what `as_json` writes."""
        rules = {"acc_mode": Overflow(words["acc_mode"]), "rounding": Rounding(words["rounding"])}
        return cls(**{**words, **rules})

    def as_json(self) -> dict[str, Any]:
        """Its fields as plain JSON values."""
        return {**vars(self), "acc_mode": str(self.acc_mode), "rounding": str(self.rounding)}

    @property
    def acc_format(self) -> IntFormat:
        """The accumulator's word: signed, `acc_bits` wide."""
        return IntFormat(self.acc_bits)


def _refused(name: str, kind: Kind, value: object) -> UsageError:
    return UsageError(f"{name} must be {kind}, not {value}")


INT16, INT32 = IntFormat(16), IntFormat(32)
ALPHA_SHIFT, ALPHA_BITS = 14, 16  # a slope of the three-step requantizer: a word of 16 bits, in units of 2^-14
GEMMLOWP_SHIFT = 31  # least shift of gemmlowp rounding, whose first step is the high half of a doubled 32-bit product
BILINEAR_SHIFT = 22  # bilinear weights: products of two factors in units of 2^-11
