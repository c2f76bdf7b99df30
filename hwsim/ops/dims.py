"""Tensor dimensions that may be symbols: H, W, and what strides and paddings make of them.

A Dim is `scale * atom + offset`, exact integers; the atom is a symbol ("H") or a floor division of another Dim.
"""
from dataclasses import dataclass

from hwsim.errors import GraphError


@dataclass(frozen=True)
class Dim:
    atom: object  # str, or (Dim, divisor)
    scale: int = 1
    offset: int = 0

    def __add__(self, other):
        if isinstance(other, Dim):
            if other.atom != self.atom:
                raise GraphError(f"dimensions must share a symbol to be added, not {self} and {other}")
            return _tidy(self.atom, self.scale + other.scale, self.offset + other.offset)
        return Dim(self.atom, self.scale, self.offset + other)

    __radd__ = __add__

    def __sub__(self, other):
        return self + (other * -1)

    def __rsub__(self, other):
        return self * -1 + other

    def __mul__(self, factor):
        return _tidy(self.atom, self.scale * factor, self.offset * factor)

    __rmul__ = __mul__

    def __floordiv__(self, divisor):
        if self.scale % divisor == 0:
            return _tidy(self.atom, self.scale // divisor, self.offset // divisor)
        if isinstance(self.atom, tuple) and (self.scale, self.offset) == (1, 0):
            inner, first = self.atom
            return inner // (first * divisor)
        return Dim((self, divisor))

    def at(self, sizes):
        """The integer that this dimension is for `sizes`, a map from symbol to int."""
        if isinstance(self.atom, str):
            base = sizes[self.atom]
        else:
            inner, divisor = self.atom
            base = inner.at(sizes) // divisor
        return self.scale * base + self.offset

    def __str__(self):
        base = self.atom if isinstance(self.atom, str) else _quotient(*self.atom)
        text = base if self.scale == 1 else f"{self.scale}*{base}"
        return text if self.offset == 0 else f"{text}{self.offset:+d}"


def _quotient(dim, divisor):
    plain = isinstance(dim.atom, str) and (dim.scale, dim.offset) == (1, 0)
    return f"{dim}//{divisor}" if plain else f"({dim})//{divisor}"


def _tidy(atom, scale, offset):
    return offset if scale == 0 else Dim(atom, scale, offset)


def ceil_div(size, divisor):
    """ceil(size / divisor) for an int or a Dim."""
    return (size + (divisor - 1)) // divisor


def known(size):
    return isinstance(size, int)


def show(shape):
    """A shape as text: HxWxC with its symbols."""
    return "x".join(str(size) for size in shape)


def require_positive(size, text):
    """`size`, once it is not a known non-positive integer; `text` says where."""
    if known(size) and size < 1:
        raise GraphError(f"{text} must be at least 1, not {size}")
    return size
