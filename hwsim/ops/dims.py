"""Tensor dimensions that may be symbols: H, W, and what strides and paddings make of them.

A Dim is `scale * atom + offset`, exact integers; the atom is a symbol ("H") or a floor division of another Dim.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard, TypeVar

from hwsim.errors import GraphError


@dataclass(frozen=True)
class Dim:
    """`scale * atom + offset`: the size of an axis that is not known yet. Adding two of different atoms raises GraphError."""

    atom: str | tuple[Dim, int]  # (Dim, divisor): a floor division
    scale: int = 1
    offset: int = 0

    def __add__(self, other: Size) -> Size:
        if isinstance(other, Dim):
            if other.atom != self.atom:
                raise GraphError(f"dimensions must share a symbol to be added, not {self} and {other}")
            return _tidy(self.atom, self.scale + other.scale, self.offset + other.offset)
        return Dim(self.atom, self.scale, self.offset + other)

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        return self + (other * -1)

    def __rsub__(self, other: int) -> Size:
        return self * -1 + other

    def __mul__(self, factor: int) -> Size:
        return _tidy(self.atom, self.scale * factor, self.offset * factor)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Size:
        if self.scale % divisor == 0:
            return _tidy(self.atom, self.scale // divisor, self.offset // divisor)
        if isinstance(self.atom, tuple) and (self.scale, self.offset) == (1, 0):
            inner, first = self.atom
            return inner // (first * divisor)
        return Dim((self, divisor))

    def at(self, sizes: Mapping[str, int]) -> int:
        """The integer that this dimension is for `sizes`, a map from symbol to int."""
        if isinstance(self.atom, str):
            base = sizes[self.atom]
        else:
            inner, divisor = self.atom
            base = inner.at(sizes) // divisor
        return self.scale * base + self.offset

    def __str__(self) -> str:
        base = self.atom if isinstance(self.atom, str) else _quotient(*self.atom)
        text = base if self.scale == 1 else f"{self.scale}*{base}"
        return text if self.offset == 0 else f"{text}{self.offset:+d}"


Size: TypeAlias = int | Dim
Shape: TypeAlias = tuple[Size, ...]
"""A tensor's shape, N first."""
AnySize = TypeVar("AnySize", int, Size)
"""What gives an int for an int, and may stay a symbol for a Dim."""


def _quotient(dim: Dim, divisor: int) -> str:
    plain = isinstance(dim.atom, str) and (dim.scale, dim.offset) == (1, 0)
    return f"{dim}//{divisor}" if plain else f"({dim})//{divisor}"


def _tidy(atom: str | tuple[Dim, int], scale: int, offset: int) -> Size:
    return offset if scale == 0 else Dim(atom, scale, offset)


def ceil_div(size: AnySize, divisor: int) -> AnySize:
    """ceil(size / divisor) for an int or a Dim."""
    return (size + (divisor - 1)) // divisor


def known(size: object) -> TypeGuard[int]:
    """Whether a size is a number rather than a Dim."""
    return isinstance(size, int)


def all_known(sizes: Sequence[Size]) -> TypeGuard[tuple[int, ...]]:
    """Whether every size is a number."""
    return all(map(known, sizes))


def show(shape: Iterable[object]) -> str:
    """A shape as text: HxWxC with its symbols."""
    return "x".join(str(size) for size in shape)


def require_positive(size: AnySize, text: str) -> AnySize:
    """`size`; raises GraphError where it is a known integer below 1. `text` says what it is the size of."""
    if known(size) and size < 1:
        raise GraphError(f"{text} must be at least 1, not {size}")
    return size
