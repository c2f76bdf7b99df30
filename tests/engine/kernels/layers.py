"""Random array nodes over everything that the kernels tell apart, and the one comparison that all tests here use."""
from dataclasses import replace

import numpy as np

from hwsim.engine import reference
from hwsim.engine.context import Context
from hwsim.engine.fast.loops import KERNELS
from hwsim.engine.fast.table import run_node
from hwsim.errors import GraphError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer

KERNEL_SIZES = ((1, 1), (3, 3), (3, 3), (2, 3), (5, 1), (1, 4))
CHANNELS = (1, 2, 3, 4, 5, 7, 15, 16, 17, 20, 31, 32, 33, 48, 50)
WIDTHS = (1, 2, 7, 11, 12, 13, 17, 29)


def pick(r, values):
    return values[int(r.integers(len(values)))]


def random_layer(seed):
    """(node, x, Context) of a random qconv2d, qconv2d_transpose or qdense; None where the geometry has no output."""
    r = np.random.default_rng(seed)
    datapath, kind = _datapath(r), pick(r, ("plain", "depthwise", "grouped", "stlq", "transposed", "dense"))
    in_format = IntFormat(pick(r, (2, 4, 8, 8, 11, 11, 12, 16)), bool(r.random() < 0.8))
    channels, kernel, groups = _channels(r, kind), pick(r, KERNEL_SIZES), 1
    ic, oc = channels
    if kind == "depthwise":
        groups = ic = oc
    elif kind == "grouped":
        groups, ic, oc = 2, ic + ic % 2, oc + oc % 2
    params = _weights(r, kind, (oc, *(kernel if kind != "dense" else (1, 1)), ic // groups))
    out_format = IntFormat(pick(r, (4, 8, 11, 15, 16)))
    params |= _requantization(r, datapath, oc, in_format.bits + params["w_bits"] + 6, out_format)
    op, geometry = _geometry(r, kind, groups)
    node = Node.make("layer", op, ("x",), **params, **geometry)
    size = (int(r.integers(1, 3)), pick(r, (1, 2, 5, 9)), pick(r, WIDTHS), ic)
    x = r.integers(in_format.min, in_format.max + 1, size).astype(np.int32)
    context = Context(datapath, (in_format,), out_format, bool(r.random() < 0.5), int(r.integers(1, 4)))
    return (node, x, context) if _has_output(node, x) else None


def _datapath(r):
    rounding = pick(r, (*Rounding, Rounding.HALF_UP))
    return Datapath(acc_bits=pick(r, (12, 16, 20, 24, 31, 32, 33, 40, 48)), acc_mode=pick(r, tuple(Overflow)), rounding=rounding,
                    mult_bits=31 if rounding is Rounding.GEMMLOWP else pick(r, (8, 16, 16, 31)),
                    tn=pick(r, (1, 2, 4, 8, 16, 16, 16, 32)))


def _channels(r, kind):
    return pick(r, CHANNELS), pick(r, CHANNELS)


def _weights(r, kind, shape):
    bits = int(r.integers(2, 6)) if kind == "stlq" else pick(r, (2, 4, 8, 8, 8, 12, 16))
    words, w_format = (int(r.integers(1, 3)), "stlq") if kind == "stlq" else (1, "linear")
    end = 1 << (bits - 1)
    codes = r.integers(-end + (w_format == "linear"), end, (words, *shape)) * (r.random((words, *shape)) < pick(r, (0.5, 1, 1)))
    return {"codes": codes.astype(np.int64), "w_format": w_format, "w_bits": bits}


def _requantization(r, datapath, oc, acc_bits, out_format):
    """Fields whose outputs often lie inside the word; shifts down to 0."""
    end, gemmlowp = 1 << min(datapath.acc_bits - 1, 20), datapath.rounding is Rounding.GEMMLOWP
    middle = min(acc_bits, datapath.acc_bits) + datapath.mult_bits - out_format.bits
    shift = np.clip(r.integers(middle - 3, middle + 1, oc), 31 if gemmlowp else 0, 62)
    if not gemmlowp and r.random() < 0.2:
        shift = np.minimum(shift, r.integers(0, 3, oc))
    top = 1 << datapath.mult_bits
    found = {"bias": r.integers(-end, end, oc), "shift": shift, "m_pos": r.integers(0, top, oc),
             "m_neg": r.integers(1 - top, top, oc), "lo": pick(r, (0, out_format.min, out_format.min)), "hi": out_format.max}
    if r.random() < 0.2 and not gemmlowp:
        found |= {"m_neg": found["m_pos"], "alpha_q": r.integers(1 - (1 << 15), 1 << 15, oc),
                  "m2": r.integers(0, top, oc), "shift2": r.integers(max(0, datapath.mult_bits - 4), datapath.mult_bits + 2, oc)}
    return found


def _geometry(r, kind, groups):
    if kind == "dense":
        return "qdense", {}
    if kind == "transposed":
        stride, crop = pick(r, ((1, 1), (2, 2), (3, 2), (2, 1))), (0, 0, int(r.integers(-1, 1)), 0)
        return "qconv2d_transpose", {"stride": stride, "crop": crop}
    padding = "same" if r.random() < 0.6 else tuple(int(v) for v in r.integers(0, 3, 4))
    stride, dilation = pick(r, ((1, 1), (1, 2), (2, 1), (2, 2))), pick(r, ((1, 1), (1, 1), (2, 1), (1, 2)))
    return "qconv2d", {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups,
                       "rowpack": bool(groups == 1 and r.random() < 0.2)}


def _has_output(node, x):
    source = Node.make("x", "input", shape=x.shape[1:])
    try:
        infer(Graph((source, node), ("x",), ("layer",)), {"x": x.shape})
    except GraphError:
        return False
    return True


def on_rung(node, x, context, rung):
    """(codes, LayerStats) of the fast engine with the kernels of one instruction set alone."""
    return run_node(node, [x], context, replace(KERNELS, rungs=(rung,)))


def assert_exact(node, x, context, rung):
    """Codes and counters equal to the reference's."""
    expected, counters = reference.ENGINE.run_node(node, [x], context)
    found, others = on_rung(node, x, context, rung)
    assert others.first == counters.first
    if context.datapath.acc_mode is Overflow.ERROR and counters.first is not None:
        return  # the run stops here, codes and counts are never seen
    np.testing.assert_array_equal(found, expected)
    assert (others.events, others.clamped) == (counters.events, counters.clamped)
    for one, other in ((counters.observed_min, others.observed_min), (counters.observed_max, others.observed_max)):
        assert (one is None and other is None) or one.tolist() == other.tolist()


def plain_layer(oc, ic, kernel, hw, bits=11, **changes):
    """A qconv2d node with `same` padding and ordinary weights, and its input; for tests that set one thing."""
    r = np.random.default_rng(oc * 1000 + ic)
    end = 1 << (bits - 1)
    params = {"codes": r.integers(-127, 128, (1, oc, *kernel, ic)), "bias": r.integers(-999, 1000, oc),
              "m_pos": r.integers(1 << 15, 1 << 16, oc), "m_neg": r.integers(1 << 12, 1 << 14, oc),
              "shift": r.integers(23, 27, oc), "lo": -end, "hi": end - 1, "padding": "same", **changes}
    node = Node.make("layer", "qconv2d", ("x",), **params)
    return node, r.integers(-end, end, (1, *hw, ic)).astype(np.int32)
