"""The words of the datapath: integer formats and the named rules of every narrowing.

spec/arithmetic.md sections 1, 2 and 4. Nothing here computes; it says which integers exist.
"""
from dataclasses import dataclass
from enum import Enum

from hwsim.errors import UsageError


@dataclass(frozen=True)
class IntFormat:
    """A two's-complement integer word: `bits` wide (1..63), signed or not.

    `narrow` drops the lowest code of a signed word, so that the range is symmetric.
    """

    bits: int
    signed: bool = True
    narrow: bool = False

    def __post_init__(self):
        if not isinstance(self.bits, int) or not 1 <= self.bits <= 63:
            raise UsageError(f"integer width must be 1..63 bits, not {self.bits}")
        if self.narrow and not self.signed:
            raise UsageError("a narrow format must be signed, not unsigned")

    @property
    def min(self):
        return -(1 << (self.bits - 1)) + self.narrow if self.signed else 0

    @property
    def max(self):
        return (1 << (self.bits - self.signed)) - 1

    def __contains__(self, value):
        return self.min <= value <= self.max

    def __str__(self):
        return f"{'i' if self.signed else 'u'}{self.bits}{'n' if self.narrow else ''}"

    @classmethod
    def parse(cls, text):
        """The format that prints as `text`: i11, u10, i8n."""
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

    def __str__(self):
        return self.value

    @property
    def formula(self):
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

    def __str__(self):
        return self.value


@dataclass(frozen=True)
class Datapath:
    """The widths and rules that all array layers of a network share (spec/device.md section 1).

    `tn` inputs are summed exactly per beat before the accumulator's overflow rule applies.
    """

    acc_bits: int = 48
    acc_mode: Overflow = Overflow.WRAP
    rounding: Rounding = Rounding.HALF_UP
    mult_bits: int = 16
    shift_bits: int = 6
    folded: bool = True
    tn: int = 16
    tm: int = 16

    def __post_init__(self):
        for name, low, high in (("acc_bits", 8, 48), ("mult_bits", 4, 31), ("shift_bits", 1, 6)):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise UsageError(f"{name} must be {low}..{high}, not {value}")
        for name in ("tn", "tm"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 64 or value & (value - 1):
                raise UsageError(f"{name} must be a power of two in 1..64, not {value}")
        if self.rounding is Rounding.GEMMLOWP and self.mult_bits != 31:
            raise UsageError(f"mult_bits must be 31 for gemmlowp rounding, not {self.mult_bits}")

    @property
    def acc_format(self):
        return IntFormat(self.acc_bits)
