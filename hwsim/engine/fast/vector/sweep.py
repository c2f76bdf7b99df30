"""How a vector operator is divided: blocks of rows that stay in the second cache, each run by one thread."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np

from hwsim.engine.context import Context, Inputs
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.fast.vector import moving
from hwsim.engine.fast.vector.scratch import SCRATCH
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import in_order
from hwsim.graph.node import Node

VALUES = 1 << 17  # of a block, 256 KiB of int16: two inputs and an output stay in a second cache of 1 MiB


Pass = Callable[[list[np.ndarray], np.ndarray], int]  # (parts of the inputs, part of the output) -> codes that the clamp changed


def pieces(total: int, size: int) -> list[slice]:
    """Slices of at most max(1, size) that cover range(total)."""
    step = max(1, size)
    return [slice(at, min(at + step, total)) for at in range(0, total, step)]


def blocks(images: int, rows: int, row_values: int) -> list[tuple[int, slice]]:
    """(image, slice of rows) of about VALUES values each."""
    return [(n, part) for n in range(images) for part in pieces(rows, VALUES // row_values)]


def elementwise(node: Node, inputs: Inputs, context: Context, run: Pass) -> tuple[np.ndarray, int]:
    """(y, sum of the counts): run(parts, part of y) -> count on arrays (rows, values); a part of one row serves all rows."""
    shape = np.broadcast_shapes(*(x.shape for x in inputs))
    y = ARENA.empty(shape, storage_type(node, inputs, context))
    # without broadcasting rows mean nothing: one long row is cut wherever a block is full
    sweep = _flat if all(x.shape == shape for x in inputs) else _joined
    return y, sum(sweep(inputs, y, run, context.threads))


def _flat(inputs: Inputs, y: np.ndarray, run: Pass, threads: int) -> list[int]:
    flat, target = [x.reshape(1, -1) for x in inputs], y.reshape(1, -1)
    return in_order(lambda part: run([x[:, part] for x in flat], target[:, part]), pieces(y.size, VALUES), threads)


def _joined(inputs: Inputs, y: np.ndarray, run: Pass, threads: int) -> list[int]:
    """Image by image: what is broadcast within a row is spread for one block at a time."""
    shape = y.shape if y.ndim > 2 else (len(y), 1, *y.shape[1:])
    target = y.reshape(*shape[:2], prod(shape[2:]))
    reads = [_reader(i, x if x.ndim > 2 else x[:, None], shape) for i, x in enumerate(inputs)]
    return in_order(lambda block: run([read(*block) for read in reads], target[block]), blocks(*target.shape), threads)


def _reader(i: int, x: np.ndarray, shape: tuple[int, ...]) -> Callable[[int, slice], np.ndarray]:
    """read(image, rows) -> (rows or 1, values of a whole row) of input i."""
    rows = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    take = partial(_only_row if rows.shape[1] == 1 else _own_rows, rows)
    if x.shape[2:] == shape[2:]:
        return take
    # broadcasting within a row is a gather: the positions of the input's values, broadcast once, say where each value comes from
    index: np.ndarray = np.arange(rows.shape[2], dtype=np.int32).reshape(x.shape[2:])
    index = np.ascontiguousarray(np.broadcast_to(index, shape[2:])).ravel()
    if rows.shape[1] == 1:
        return partial(_only_row, np.stack([_spread(image, index, np.empty((1, len(index)), x.dtype)) for image in rows]))
    return lambda n, part: _spread(rows[n, part], index, SCRATCH(f"spread {i}", (len(rows[n, part]), len(index)), x.dtype))


def _only_row(rows: np.ndarray, n: int, part: slice) -> np.ndarray:
    """The one row of image n, which serves all rows of the output."""
    return rows[n]


def _own_rows(rows: np.ndarray, n: int, part: slice) -> np.ndarray:
    """The rows `part` of image n."""
    return rows[n, part]


def _spread(rows: np.ndarray, index: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """`wide`, filled with the values of each row at `index`."""
    moving.spread(rows, index, wide)
    return wide
