"""x[:, a:b:s, c:d:t, e:f] with constant bounds."""
from typing import Any

from hwsim.importers.keras.layers.call import LayerCall
from hwsim.ops.dims import known


def getitem(call: LayerCall, x: str, spec: Any) -> str:
    """The slice of a tensor: bounds from the edges become a crop, positive ends a slice, steps a 1x1 pool with that stride.

    Errors: UnsupportedError for a slice of N, and for steps that are not positive or not on H or W.
    """
    rank = len(call.builder.shape(x))
    axes = _spread(call, spec, rank)
    if axes[0] != (None, None, None):
        raise call.config.refuse("a slice must keep all images", spec)
    steps = [1] * rank
    for axis in range(1, rank):
        start, stop, step = axes[axis]
        if step is not None and step != 1:
            if not 1 < step < 1 << 16 or rank != 4 or axis == 3:
                raise call.config.refuse("a step must be positive and on H or W", step)
            steps[axis] = step
        x = _bounded(call, x, axis, start, stop)
    if max(steps) > 1:
        x = call.add("max_pool", [x], ":stride", kernel=(1, 1), stride=tuple(steps[1:3]), padding=(0, 0, 0, 0))
    return x


def _spread(call: LayerCall, spec: Any, rank: int) -> list[tuple[Any, ...]]:
    """(start, stop, step) per axis, an ellipsis filled up."""
    spec = spec if isinstance(spec, list) else [spec]
    if spec.count(Ellipsis) > 1 or len(spec) - spec.count(Ellipsis) > rank:
        raise call.config.refuse(f"a slice must have at most {rank} parts", spec)
    if Ellipsis not in spec:
        spec = [*spec, Ellipsis]
    at = spec.index(Ellipsis)
    full = {"start": None, "stop": None, "step": None}
    spec = [*spec[:at], *[full] * (rank - len(spec) + 1), *spec[at + 1:]]
    return [_bounds(call, part) for part in spec]


def _bounds(call: LayerCall, part: Any) -> tuple[Any, ...]:
    bounds = tuple(part.get(key) for key in ("start", "stop", "step")) if isinstance(part, dict) else (part,)
    if len(bounds) != 3 or not all(bound is None or type(bound) is int for bound in bounds):
        raise call.config.refuse("a slice must have constant bounds start:stop:step", part)
    return bounds


def _bounded(call: LayerCall, x: str, axis: int, start: Any, stop: Any) -> str:
    """`x` from start to stop on one axis."""
    size = call.builder.shape(x)[axis]
    start = 0 if start is None else start
    spatial = len(call.builder.shape(x)) == 4 and axis in (1, 2)
    if spatial and start >= 0 and (stop is None or stop < 0):
        return _cropped(call, x, axis, start, 0 if stop is None else -stop)
    if known(size) and not spatial:
        start, stop = (bound + size if bound < 0 else min(bound, size) for bound in (start, size if stop is None else stop))
    if stop is None or not 0 <= start < stop or (known(size) and stop > size):
        raise call.config.refuse(f"a slice must lie inside axis {axis} of size {size}", [start, stop])
    if (start, stop) == (0, size):
        return x
    return call.add("slice", [x], f":axis{axis}", axis=axis, start=start, stop=stop)


def _cropped(call: LayerCall, x: str, axis: int, before: int, after: int) -> str:
    """`x` without `before` and `after` rows (axis 1) or columns (axis 2)."""
    if before == after == 0:
        return x
    return call.add("crop", [x], f":axis{axis}", crop=(before, after, 0, 0) if axis == 1 else (0, 0, before, after))
