"""Log-scale weight codes: sign and power of two in N bits (spec/arithmetic.md section 5)."""
from math import isqrt

from hwsim.fixed.formats import Integers


def zero_exponent(bits: int) -> int:
    """E = 2^(N-1): a code q stands for the integer weight sign(q) * 2^(E-|q|)."""
    return 1 << (bits - 1)


def integer_weight(code: int, bits: int) -> int:
    """The integer weight of one log code in -2^(N-1)..2^(N-1)-1, 0 for code 0."""
    if code == 0:
        return 0
    magnitude = 1 << (zero_exponent(bits) - abs(code))
    return magnitude if code > 0 else -magnitude


def nearest_power(mantissa: Integers, exponent: Integers, unit_mantissa: int, unit_exponent: int) -> Integers:
    """k = -round(log2(x/U)), exactly, for x = mantissa * 2^exponent and U alike; mantissas are 53-bit integers.

    mantissa, exponent may be int64 arrays. k is right iff 2^-(2k+1) < (x/U)^2 < 2^-(2k-1). The mantissas differ by less
    than a factor of two, so k is the difference of the exponents, one less where (mx/mu)^2 > 2 and one more where it is
    under 1/2. The root of 2 is irrational: neither is ever equal.
    """
    square = unit_mantissa * unit_mantissa
    above = mantissa > isqrt(2 * square)
    below = mantissa <= isqrt((square - 1) // 2)
    return unit_exponent - exponent - above + below
