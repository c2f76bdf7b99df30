"""The two ways into a narrower word (spec/arithmetic.md section 2). Exact on integers of any size and on int64 arrays."""


def wrap(value, fmt):
    """`value` modulo 2^bits, as a code of `fmt`, which must not be narrow."""
    bottom = fmt.min
    return ((value - bottom) & ((1 << fmt.bits) - 1)) + bottom


def saturate(value, fmt):
    """`value`, or the nearest end of `fmt`."""
    return clamp(value, fmt.min, fmt.max)


def clamp(value, lo, hi):
    """`value` limited to lo..hi; works on integers and arrays alike."""
    value = value + (value < lo) * (lo - value)
    return value - (value > hi) * (value - hi)
