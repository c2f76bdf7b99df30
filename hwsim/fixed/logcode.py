"""Log-scale weight codes: sign and power of two in N bits (ARITHMETIC.md section 5)."""


def zero_exponent(bits):
    """E = 2^(N-1): a code q stands for the integer weight sign(q) * 2^(E-|q|)."""
    return 1 << (bits - 1)


def integer_weight(code, bits):
    """The integer weight of one log code, 0 for code 0."""
    if code == 0:
        return 0
    magnitude = 1 << (zero_exponent(bits) - abs(code))
    return magnitude if code > 0 else -magnitude
