"""Array nodes: cut into ArrayLayers, each of which fills its part of the output; their counters are joined."""
import numpy as np

from hwsim.engine.context import word_type
from hwsim.engine.fast.layer import run_layer
from hwsim.engine.host.memory import ARENA
from hwsim.engine.result import LayerStats
from hwsim.ops.cut import cut, image_shape
from hwsim.ops.window import out_hw


def array_node(node, inputs, context, loops):
    """(codes, LayerStats) of a qconv2d, qconv2d_transpose or qdense node."""
    x = inputs[0].reshape(image_shape(inputs[0].shape))
    cuts, results = cut(node, inputs[0].shape, context.datapath.tm), []
    y = ARENA.empty(_shape(node, x, cuts), word_type(node.params["lo"], node.params["hi"]))
    for one in cuts:
        part = y[:, one.rows, one.cols, one.out_channels]
        results.append((one, run_layer(one.layer, np.ascontiguousarray(x[..., one.in_channels]), part, context, loops)))
    return y.reshape(*inputs[0].shape[:-1], -1) if node.op == "qdense" else y, _joined(results, y.shape[3])


def _shape(node, x, cuts):
    channels = node.params["codes"].shape[1]
    if node.op == "qconv2d":
        p = node.params
        return (len(x), *out_hw(x.shape, p["codes"].shape[2:4], p["stride"], p["dilation"], p["padding"]), channels)
    rows = sum({c.rows.start: c.layer.out_hw[0] for c in cuts}.values())
    cols = sum({c.cols.start: c.layer.out_hw[1] for c in cuts}.values())
    return (len(x), rows, cols, channels)


def _joined(results, channels):
    """The counters of all layers of a node; the first event is that of the first layer that has one."""
    stats = [s for _, s in results]
    first = next((s.first for s in stats if s.first is not None), None)
    if stats[0].events is None:
        return LayerStats(first=first)
    ends = np.iinfo(np.int64)
    low, high = np.full(channels, ends.max), np.full(channels, ends.min)
    for one, s in results:
        low[one.out_channels] = np.minimum(low[one.out_channels], s.observed_min)
        high[one.out_channels] = np.maximum(high[one.out_channels], s.observed_max)
    return LayerStats(sum(s.events for s in stats), first, low, high, sum(s.clamped for s in stats))
