"""Array nodes: cut into ArrayLayers, each of which fills its part of the output; their counters are joined."""
import numpy as np

from hwsim.engine.context import word_type
from hwsim.engine.fast.layer import run_layer
from hwsim.engine.host.memory import ARENA
from hwsim.engine.result import merge
from hwsim.ops.cut import cut, image_shape
from hwsim.ops.window import out_hw


def array_node(node, inputs, context, loops):
    """(codes, LayerStats) of a qconv2d, qconv2d_transpose or qdense node."""
    x = inputs[0].reshape(image_shape(inputs[0].shape))
    cuts, results = cut(node, inputs[0].shape, context.datapath.tm), []
    y = ARENA.empty(_shape(node, x, cuts), word_type(node.params["lo"], node.params["hi"]))
    for one in cuts:
        part = y[:, one.rows, one.cols, one.out_channels]
        stats = run_layer(one.layer, np.ascontiguousarray(x[..., one.in_channels]), part, context, loops)
        results.append(stats.on_channels(one.out_channels, y.shape[3]))
    return y.reshape(*inputs[0].shape[:-1], -1) if node.op == "qdense" else y, merge(results)


def _shape(node, x, cuts):
    channels = node.params["codes"].shape[1]
    if node.op == "qconv2d":
        p = node.params
        return (len(x), *out_hw(x.shape, p["codes"].shape[2:4], p["stride"], p["dilation"], p["padding"]), channels)
    rows = sum({c.rows.start: c.layer.out_hw[0] for c in cuts}.values())
    cols = sum({c.cols.start: c.layer.out_hw[1] for c in cuts}.values())
    return (len(x), rows, cols, channels)
