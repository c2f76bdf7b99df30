"""Array nodes: cut into ArrayLayers, each of which fills its part of the output; their counters are merged."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.engine.context import Context, Inputs, Output, word_type
from hwsim.engine.fast.backend import Backend
from hwsim.engine.fast.layer import run_layer
from hwsim.engine.host.memory import ARENA
from hwsim.engine.result import merge
from hwsim.graph.node import Node
from hwsim.ops.cut import Cut, Image, cut, image_shape
from hwsim.ops.window import out_hw


def array_node(node: Node, inputs: Inputs, context: Context, backend: Backend) -> Output:
    """The codes, int16 or int32 (word_type of its clamp), and LayerStats of a qconv2d, qconv2d_transpose or qdense node."""
    x = inputs[0].reshape(image_shape(inputs[0].shape))
    cuts, results = cut(node, inputs[0].shape, context.datapath.tm), []
    y = ARENA.empty(_shape(node, x, cuts), word_type(node.params["lo"], node.params["hi"]))
    for part in cuts:
        codes = np.ascontiguousarray(x[..., part.in_channels])
        stats = run_layer(part.layer, codes, y[:, part.rows, part.cols, part.out_channels], context, backend)
        results.append(stats.on_channels(part.out_channels, y.shape[3]))
    return y.reshape(*inputs[0].shape[:-1], -1) if node.op == "qdense" else y, merge(results)


def _shape(node: Node, x: np.ndarray, cuts: Sequence[Cut]) -> Image:
    """The shape of the output, N,OH,OW,OC."""
    channels = node.params["codes"].shape[1]
    if node.op == "qconv2d":
        p = node.params
        return (len(x), *out_hw(x.shape, p["codes"].shape[2:4], p["stride"], p["dilation"], p["padding"]), channels)
    rows = sum({part.rows.start: part.layer.out_hw[0] for part in cuts}.values())
    cols = sum({part.cols.start: part.layer.out_hw[1] for part in cuts}.values())
    return (len(x), rows, cols, channels)
