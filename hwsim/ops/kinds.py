"""What a node parameter may be. A kind is a function value -> None, or the sentence that the value breaks."""
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from hwsim.ops.dims import Shape
from hwsim.settings import is_int

Kind: TypeAlias = Callable[[Any], str | None]
Params: TypeAlias = Mapping[str, Any]
"""A node's parameters, name -> value."""
ShapeRule: TypeAlias = Callable[[Params, Sequence[Shape]], Shape]
"""The output shape for parameters and input shapes; raises GraphError where they do not fit."""


def integer(low: int | None = None, high: int | None = None) -> Kind:
    """An integer in low..high; None is no limit."""
    def check(value: Any) -> str | None:
        if not is_int(value) or (low is not None and value < low) or (high is not None and value > high):
            return f"an integer in {'-inf' if low is None else low}..{'inf' if high is None else high}"
        return None
    return check


def boolean(value: Any) -> str | None:
    """True or False."""
    return None if isinstance(value, bool) else "true or false"


def choice(*allowed: object) -> Kind:
    """One of the `allowed` values."""
    return lambda value: None if value in allowed else "one of " + ", ".join(map(str, allowed))


def real(value: Any) -> str | None:
    """A finite float."""
    return None if isinstance(value, float) and math.isfinite(value) else "a finite number"


def reals(value: Any) -> str | None:
    """A tuple of finite numbers, any count."""
    return None if isinstance(value, tuple) and not any(map(real, value)) else "a tuple of finite numbers"


def optional(kind: Kind) -> Kind:
    """None, or what `kind` allows."""
    return lambda value: None if value is None else kind(value)


def integers(count: int | None, low: int | None = None) -> Kind:
    """A tuple of `count` integers (any number for None), each at least `low`."""
    def check(value: Any) -> str | None:
        good = isinstance(value, tuple) and all(is_int(v) and (low is None or v >= low) for v in value)
        if not good or (count is not None and len(value) != count):
            return f"{'' if count is None else str(count) + ' '}integers{'' if low is None else f' of at least {low}'}"
        return None
    return check


def padding(value: Any) -> str | None:
    """`same`, resolved from the input size, or explicit (top, bottom, left, right)."""
    if value == "same" or integers(4, 0)(value) is None:
        return None
    return "same or 4 integers of at least 0 (top, bottom, left, right)"


def array(kind: str, *ranks: int) -> Kind:
    """A numpy array of one of the given ranks; `kind`: int (int64), float (float64, finite) or bool."""
    dtype = {"int": np.int64, "float": np.float64, "bool": np.bool_}[kind]

    def check(value: Any) -> str | None:
        if not isinstance(value, np.ndarray) or value.dtype != dtype or value.ndim not in ranks:
            return f"an array of {np.dtype(dtype).name} and rank {' or '.join(map(str, ranks))}"
        if kind == "float" and not np.isfinite(value).all():
            return "an array of finite numbers"
        return None
    return check


def clip_range(value: Any) -> str | None:
    """(lo, hi) of real numbers, either of which may be None for no limit."""
    if not isinstance(value, tuple) or len(value) != 2 or any(v is not None and real(v) for v in value):
        return "a pair (lo, hi) of finite numbers or None"
    lo, hi = value
    if lo is not None and hi is not None and lo > hi:
        return "a pair (lo, hi) with lo <= hi"
    return None


def dims(value: Any) -> str | None:
    """A tensor shape without N: positive integers or None (unknown until there is an input)."""
    good = isinstance(value, tuple) and value and all(v is None or (is_int(v) and v > 0) for v in value)
    return None if good else "a shape of positive integers or None"
