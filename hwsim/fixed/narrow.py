"""The two ways into a narrower word (spec/arithmetic.md section 2). Exact on integers of any size and on int64 arrays."""
from hwsim.fixed.formats import Integers, IntFormat


def wrap(value: Integers, fmt: IntFormat) -> Integers:
    """`value` modulo 2^bits, as a code of `fmt`, which must not be narrow."""
    bottom = fmt.min
    return ((value - bottom) & ((1 << fmt.bits) - 1)) + bottom


def saturate(value: Integers, fmt: IntFormat) -> Integers:
    """`value`, or the nearest end of `fmt`."""
    return clamp(value, fmt.min, fmt.max)


def clamp(value: Integers, lo: int, hi: int) -> Integers:
    """`value` limited to lo..hi; works on integers and arrays alike."""
    value = value + (value < lo) * (lo - value)
    limited: Integers = value - (value > hi) * (value - hi)
    return limited
