"""The rates of vector operators beside a plain copy of as many bytes, in turns: CPU time of one thread."""
import statistics
import time

import numpy as np

from hwsim.engine.context import Context
from hwsim.engine.fast.table import run_node
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.node import Node

CODES = IntFormat(11)
ENDS = {"lo": CODES.min, "hi": CODES.max}
PRODUCT = {"m": 40001, "shift": 26, **ENDS}
WINDOW = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
NINE = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1, 1, 1)}


def _each(*values):
    return np.array(values, np.int64)


def _average(window, taps):
    return {**window, "taps": _each(*taps), "m": _each(*(65536 // t for t in taps)), "shift": _each(*(16 for _ in taps)), **ENDS}


def _add(count):
    return {"m": _each(*(40000 - 1000 * i for i in range(count))), "shift": 16, **ENDS}


def _join(*m):
    return {"m": _each(*m), "shift": _each(*(0 if value == 1 else 16 for value in m)), **ENDS}


def _prelu(channels):
    m = np.arange(channels)
    return {"m_pos": m + 30000, "m_neg": m, "shift": np.full(channels, 15), **ENDS}


# (operator, what of it, shapes of its inputs, parameters)
CASES = (
    ("qadd", "two", ((750, 1000, 32),) * 2, _add(2)),
    ("qadd", "two", ((1500, 4000, 3),) * 2, _add(2)),
    ("qadd", "four", ((750, 1000, 16),) * 4, _add(4)),
    ("qmul", "two", ((750, 1000, 32),) * 2, PRODUCT),
    ("qmul", "per channel", ((750, 1000, 32), (1, 1, 32)), PRODUCT),
    ("qmul", "per pixel", ((1500, 4000, 3), (1500, 4000, 1)), PRODUCT),
    ("qmaximum", "two", ((750, 1000, 32),) * 2, _join(1, 40000)),
    ("qconcat", "moved", ((375, 500, 64),) * 2, {**_join(1, 1), "axis": 3}),
    ("qconcat", "moved", ((1500, 4000, 3), (1500, 4000, 1)), {**_join(1, 1), "axis": 3}),
    ("qconcat", "one rescaled", ((375, 500, 64),) * 2, {**_join(1, 40000), "axis": 3}),
    ("qconcat", "both rescaled", ((1500, 4000, 3), (1500, 4000, 1)), {**_join(40000, 40000), "axis": 3}),
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
)


def measured(repeats=9, cases=CASES):
    """[{layer, op, variant, ns, gbytes_per_s, copy_gbytes_per_s, of_copy}] of 11-bit codes in 16 bits: medians, a row per case.

    Bytes are those of the inputs and of the output; ns is per value of the larger of these tensors.
    """
    return [_row(*case, repeats) for case in cases]


def _row(op, variant, shapes, params, repeats):
    work, values, largest = _work(op, shapes, params)
    one, copy = in_turns(work, copy_of(values), repeats)
    size = 2 * values * 1e-9
    return {"layer": " + ".join("x".join(map(str, shape)) for shape in shapes), "op": op, "variant": variant,
            "ns": one / largest * 1e9,
            "gbytes_per_s": size / one, "copy_gbytes_per_s": size / copy, "of_copy": copy / one}


def _work(op, shapes, params):
    """(work, int16 values that are read and written, values of the largest tensor)."""
    r = np.random.default_rng(0)
    inputs = [r.integers(CODES.min, CODES.max + 1, (1, *shape), np.int16) for shape in shapes]
    node = Node.make("bench", op, tuple(f"x{i}" for i in range(len(shapes))), **params)
    context = Context(Datapath(), (CODES,) * len(shapes), CODES)
    made = run_node(node, inputs, context)[0]
    return (lambda: run_node(node, inputs, context)), sum(x.size for x in (*inputs, made)), max(x.size for x in (*inputs, made))


def copy_of(values):
    """A copy that reads and writes `values` 16-bit values together."""
    source = np.ones(values // 2, np.int16)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)


def in_turns(one, other, repeats):
    """Median CPU seconds of each, measured one after the other."""
    found = [(seconds(one), seconds(other)) for _ in range(repeats + 1)]
    return tuple(statistics.median(column) for column in zip(*found[1:]))   # the first warms up


def seconds(work):
    start = time.thread_time()
    work()
    return time.thread_time() - start
