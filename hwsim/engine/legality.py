"""What every engine may rely on, checked before the first node runs: a wrong description is refused, never computed.

The rules of graph.check need no sizes and no datapath; these do (spec/arithmetic.md rules 1.9 to 1.11).
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hwsim.errors import GraphError, UnsupportedError, UsageError
from hwsim.fixed.formats import ALPHA_BITS, ALPHA_SHIFT, BILINEAR_SHIFT, GEMMLOWP_SHIFT, INT32, Datapath, IntFormat, Rounding
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import Shapes
from hwsim.ops.cut import ARRAY_OPS
from hwsim.ops.epilogue import ThreeStep, stage_of
from hwsim.ops.spec import VECTOR, Trait
from hwsim.ops.window import pads

Formats = Mapping[str, IntFormat]


def check_codes(net: IntegerGraph, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """input name -> C-contiguous int32 codes, N first, once they have the network's names, integer type and formats.

    Errors: UsageError for other names, types, ranges or shapes, and for inputs of unequal numbers of images.
    """
    if set(inputs) != set(net.inputs):
        raise UsageError(f"inputs must be {', '.join(net.inputs)}, not {', '.join(map(str, inputs)) or 'none'}")
    arrays = {name: _codes(name, np.asarray(inputs[name]), net.formats[name]) for name in net.inputs}
    # N is not a size of the network: any number of images, but all inputs must agree on it
    images = {len(array) for array in arrays.values()}
    if len(images) > 1:
        raise UsageError(f"all inputs must hold the same number of images, not {', '.join(map(str, sorted(images)))}")
    return arrays


def _codes(name: str, array: np.ndarray, fmt: IntFormat) -> np.ndarray:
    if array.dtype.kind not in "iu":
        raise UsageError(f"{name}: input codes must be integers, not {array.dtype}")
    if array.ndim < 2 or not array.size:
        raise UsageError(f"{name}: input codes must be images, N first, not an array of shape {array.shape}")
    # the whole array is looked at: one code outside the format would make every proof about widths wrong
    low, high = int(array.min()), int(array.max())
    if low not in fmt or high not in fmt:
        raise UsageError(f"{name}: input codes must be {fmt.min}..{fmt.max} ({fmt}), not {low}..{high}")
    return np.ascontiguousarray(array, np.int32)


def check_runnable(graph: Graph, formats: Formats, datapath: Datapath, shapes: Shapes) -> None:
    """Raises GraphError or UnsupportedError unless every node of the placed `graph` can run on `datapath` with these shapes."""
    for node in graph.nodes:
        problem = _words(formats[node.name]) or _problem(node, formats, datapath, shapes)
        if problem:
            raise GraphError(f"{node.name}: {problem}")
        if datapath.rounding is Rounding.GEMMLOWP:
            _check_gemmlowp(node)


def _words(fmt: IntFormat) -> str | None:
    return None if fmt.min in INT32 and fmt.max in INT32 else f"codes must fit 32 bits, not {fmt}"


def _problem(node: Node, formats: Formats, datapath: Datapath, shapes: Shapes) -> str | None:
    """The sentence that `node` breaks, or None."""
    return (_fields(node, datapath) or _one_per_input(node) or _kept(node, formats)
            or (_table(node, formats) if node.op == "qtable" else None)
            or (_window(node, shapes) if node.spec.unit == VECTOR and Trait.WINDOW in node.spec.traits else None))


def _fields(node: Node, datapath: Datapath) -> str | None:
    p, limit = node.params, (1 << datapath.mult_bits) - 1
    for name in ("m", "m_pos", "m_neg", "m2"):
        value = _largest(p.get(name))
        if value > limit:
            return f"{name} must be at most 2^{datapath.mult_bits} - 1, not {value}"
    if _largest(p.get("alpha_q")) > IntFormat(ALPHA_BITS).max:
        return f"alpha_q must be less than 2^15, not {_largest(p['alpha_q'])}"
    for name in ("shift", "shift2"):
        shift = p.get(name)
        # 2^shift, which bounds every rounding constant, still fits a signed 64-bit word at 62
        if shift is not None and np.size(shift) and (np.min(shift) < 0 or np.max(shift) > 62):
            return f"{name} must be 0..62, not {np.min(shift)}..{np.max(shift)}"
    # the bias is what the accumulator starts from: no overflow rule applies before the first beat
    for channel, value in enumerate(p.get("bias", ())):
        if int(value) not in datapath.acc_format:
            return f"the bias of channel {channel} must fit {datapath.acc_format}, not {value}"
    return None


def _largest(value: Any) -> int:
    """The largest magnitude in an integer, an array or None, as a Python integer."""
    if value is None or np.size(value) == 0:
        return 0
    return max(abs(int(np.min(value))), abs(int(np.max(value))))


def _one_per_input(node: Node) -> str | None:
    if Trait.PER_INPUT not in node.spec.traits:
        return None
    lengths = [np.size(node.params[name]) for name in ("m", "shift") if not isinstance(node.params[name], int)]
    if set(lengths) != {len(node.inputs)}:
        return f"m and shift must hold one value for each of {len(node.inputs)} inputs, not {lengths}"
    return None


def _kept(node: Node, formats: Formats) -> str | None:
    if Trait.KEEPS_CODES not in node.spec.traits:
        return None
    source, target = formats[node.inputs[0]], formats[node.name]
    if source.min not in target or source.max not in target or (node.op == "pad" and 0 not in target):
        return f"{node.op} keeps the codes of its input: its format must hold {source}, not {target}"
    return None


def _table(node: Node, formats: Formats) -> str | None:
    source, target, table = formats[node.inputs[0]], formats[node.name], node.params["table"]
    if len(table) != source.max - source.min + 1:
        return f"the table must have one entry for each of the {source.max - source.min + 1} codes of {source}, not {len(table)}"
    if int(table.min()) not in target or int(table.max()) not in target:
        return f"table entries must fit {target}, not {table.min()}..{table.max()}"
    return None


def _window(node: Node, shapes: Shapes) -> str | None:
    """No window may lie in the padding alone; an average needs a multiplier for every count of real taps."""
    p = node.params
    rows, cols = _axis_taps(node, shapes)
    # a maximum of nothing has no value, and an average of nothing no divisor
    if rows.min() < 1 or cols.min() < 1:
        return "every window must meet the image, not lie in the padding alone"
    if node.op == "qavg_pool":
        missing = sorted({int(r) * int(c) for r in set(rows) for c in set(cols)} - set(p["taps"].tolist()))
        if missing:
            return f"taps must hold every count of real taps, not miss {missing[0]}"
    return None


def _axis_taps(node: Node, shapes: Shapes) -> Iterator[np.ndarray]:
    """Per axis, how many rows (columns) of each window lie inside the image."""
    p, shape, out = node.params, shapes[node.inputs[0]], shapes[node.name]
    pad = pads(shape, p["kernel"], p["stride"], (1, 1), p["padding"])
    for axis in (0, 1):
        start = np.arange(out[1 + axis]) * p["stride"][axis] - pad[2 * axis]
        yield np.minimum(start + p["kernel"][axis], shape[1 + axis]) - np.maximum(start, 0)


def _check_gemmlowp(node: Node) -> None:
    """Gemmlowp divides twice, so it has no shift under 31; an input that passes unchanged (m 1, shift 0) is not rounded."""
    p = node.params
    pairs = [(p["m"], p["shift"])] if "m" in p else []
    if Trait.EACH in node.spec.traits:
        pairs = [pair for pair in zip(p["m"], p["shift"]) if pair != (1, 0)]
    if "m_pos" in p:
        pairs = [(p["m_pos"], p["shift"])]
    shifts = [int(np.min(shift)) for _, shift in pairs if np.size(shift)]
    # shifts that no field holds: those of the slope and of bilinear weights are fixed, and both are below 31
    shifts += [ALPHA_SHIFT] if node.op in ARRAY_OPS and isinstance(stage_of(p), ThreeStep) else []
    shifts += [BILINEAR_SHIFT] if node.op == "qbilinear" else []
    if shifts and min(shifts) < GEMMLOWP_SHIFT:
        raise UnsupportedError(f"{node.name}: gemmlowp rounding must have shifts of at least 31, not {min(shifts)}")
