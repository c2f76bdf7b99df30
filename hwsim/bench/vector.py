"""The rates of vector operators beside a plain copy of as many bytes, in turns: CPU time of one thread."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hwsim.bench.timing import Work, in_turns, medians, thread_seconds
from hwsim.engine.context import Context
from hwsim.engine.fast.table import run_node
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.node import Node

CODES = IntFormat(11)
ENDS = {"lo": CODES.min, "hi": CODES.max}
PRODUCT = {"m": 40001, "shift": 26, **ENDS}
WINDOW = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
NINE = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1, 1, 1)}


class VectorCase(NamedTuple):
    """A vector operator on tensors of these shapes (H,W,C); variant: a word for its parameters."""

    op: str
    variant: str
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, Any]


@dataclass(frozen=True)
class VectorRate:
    """A case's rate on 11-bit codes in 16 bits: medians. ns: CPU nanoseconds per value of its largest tensor; gbytes_per_s: of
    its inputs and output, 1e9 bytes; copy_gbytes_per_s: of a copy of as many bytes; of_copy: the first as a fraction of that."""

    case: VectorCase
    ns: float
    gbytes_per_s: float
    copy_gbytes_per_s: float
    of_copy: float


def _each(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _average(window: dict[str, Any], taps: tuple[int, ...]) -> dict[str, Any]:
    return {**window, "taps": _each(*taps), "m": _each(*(65536 // t for t in taps)), "shift": _each(*(16 for _ in taps)), **ENDS}


def _add(count: int) -> dict[str, Any]:
    return {"m": _each(*(40000 - 1000 * i for i in range(count))), "shift": 16, **ENDS}


def _rescale(*m: int) -> dict[str, Any]:
    return {"m": _each(*m), "shift": _each(*(0 if value == 1 else 16 for value in m)), **ENDS}


def _prelu(channels: int) -> dict[str, Any]:
    m = np.arange(channels)
    return {"m_pos": m + 30000, "m_neg": m, "shift": np.full(channels, 15), **ENDS}


CASES = tuple(VectorCase(*case) for case in (
    ("qadd", "two", ((750, 1000, 32),) * 2, _add(2)),
    ("qadd", "two", ((1500, 4000, 3),) * 2, _add(2)),
    ("qadd", "four", ((750, 1000, 16),) * 4, _add(4)),
    ("qmul", "two", ((750, 1000, 32),) * 2, PRODUCT),
    ("qmul", "per channel", ((750, 1000, 32), (1, 1, 32)), PRODUCT),
    ("qmul", "per pixel", ((1500, 4000, 3), (1500, 4000, 1)), PRODUCT),
    ("qmaximum", "two", ((750, 1000, 32),) * 2, _rescale(1, 40000)),
    ("qconcat", "moved", ((375, 500, 64),) * 2, {**_rescale(1, 1), "axis": 3}),
    ("qconcat", "moved", ((1500, 4000, 3), (1500, 4000, 1)), {**_rescale(1, 1), "axis": 3}),
    ("qconcat", "one rescaled", ((375, 500, 64),) * 2, {**_rescale(1, 40000), "axis": 3}),
    ("qconcat", "both rescaled", ((1500, 4000, 3), (1500, 4000, 1)), {**_rescale(40000, 40000), "axis": 3}),
    ("qprelu", "per channel", ((750, 1000, 32),), _prelu(32)),
    ("qtable", "", ((750, 1000, 32),), {"table": np.arange(CODES.max, CODES.min - 1, -1)}),
    ("max_pool", "2x2", ((750, 1000, 32),), WINDOW),
    ("max_pool", "2x2", ((1500, 4000, 3),), WINDOW),
    ("max_pool", "3x3, stride 1", ((750, 1000, 32),), NINE),
    ("qavg_pool", "2x2", ((750, 1000, 32),), _average(WINDOW, (4,))),
    ("qavg_pool", "2x2", ((1500, 4000, 3),), _average(WINDOW, (4,))),
    ("qavg_pool", "3x3, stride 1", ((750, 1000, 32),), _average(NINE, (4, 6, 9))),
    ("qavg_pool", "whole image", ((750, 1000, 32),), _average({**WINDOW, "kernel": (750, 1000)}, (750000,))),
    ("global_max_pool", "", ((750, 1000, 32),), {"keepdims": True}),
    ("qbilinear", "by 2", ((375, 500, 32),), {"factor": (2, 2), **ENDS}),
    ("qbilinear", "by 2", ((750, 2000, 3),), {"factor": (2, 2), **ENDS}),
    ("qbilinear", "by 3", ((250, 300, 32),), {"factor": (3, 3), **ENDS}),
    ("upsample_nearest", "by 2", ((375, 500, 32),), {"factor": (2, 2)}),
    ("upsample_nearest", "by 2", ((750, 2000, 3),), {"factor": (2, 2)}),
    ("depth_to_space", "DCR by 2", ((750, 2000, 12),), {"block": 2, "order": "DCR"}),
    ("depth_to_space", "CRD by 2", ((750, 2000, 12),), {"block": 2, "order": "CRD"}),
    ("depth_to_space", "DCR by 2", ((375, 500, 128),), {"block": 2, "order": "DCR"}),
    ("depth_to_space", "DCR by 2", ((750, 2000, 4),), {"block": 2, "order": "DCR"}),
    ("space_to_depth", "by 2", ((1500, 4000, 1),), {"block": 2}),
    ("space_to_depth", "by 4", ((1500, 4000, 4),), {"block": 4}),
    ("space_to_depth", "by 2", ((750, 1000, 32),), {"block": 2}),
    ("pad", "", ((1500, 4000, 3),), {"pad": (1, 1, 1, 1)}),
    ("crop", "", ((1500, 4000, 3),), {"crop": (1, 1, 1, 1)}),
    ("slice", "half of the channels", ((750, 1000, 32),), {"axis": 3, "start": 8, "stop": 24}),
    ("slice", "one channel", ((1500, 4000, 3),), {"axis": 3, "start": 1, "stop": 2}),
))


def measured(repeats: int = 9, cases: Sequence[VectorCase] = CASES) -> tuple[VectorRate, ...]:
    """The VectorRate of every case: medians of `repeats` measurements."""
    return tuple(_rate(case, repeats) for case in cases)


def _rate(case: VectorCase, repeats: int) -> VectorRate:
    work, values, largest = _work(case)
    copy = copy_of(values)
    own, copied = medians(in_turns(lambda: thread_seconds(work), lambda: thread_seconds(copy), repeats))
    gbytes = 2 * values * 1e-9
    return VectorRate(case=case, ns=own / largest * 1e9, gbytes_per_s=gbytes / own, copy_gbytes_per_s=gbytes / copied,
                      of_copy=copied / own)


def _work(case: VectorCase) -> tuple[Work, int, int]:
    """(work, int16 values that are read and written, values of the largest tensor)."""
    r = np.random.default_rng(0)
    inputs = [r.integers(CODES.min, CODES.max + 1, (1, *shape), np.int16) for shape in case.shapes]
    node = Node.make("bench", case.op, tuple(f"x{i}" for i in range(len(inputs))), **case.params)
    context = Context(Datapath(), (CODES,) * len(inputs), CODES)
    sizes = [x.size for x in (*inputs, run_node(node, inputs, context)[0])]
    return (lambda: run_node(node, inputs, context)), sum(sizes), max(sizes)


def copy_of(values: int) -> Work:
    """A copy that reads and writes `values` 16-bit values together."""
    source = np.ones(values // 2, np.int16)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)
