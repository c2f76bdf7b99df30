"""Small float networks and calibrations that the tests of this room share."""
import numpy as np

from hwsim.graph.node import Graph, Node
from hwsim.quantization.calibrate import Calibration


def image(channels=1, **params):
    return Node.make("x", "input", shape=(None, None, channels), **params)


def conv(name, source, weights, bias, **params):
    """A 1x1 convolution from weights (OC, IC)."""
    weights = np.array(weights, float)
    return Node.make(name, "conv2d", (source,), weights=weights[:, None, None, :], bias=np.array(bias, float), **params)


def graph(*nodes, outputs=None):
    inputs = tuple(node.name for node in nodes if node.op == "input")
    return Graph(nodes, inputs, tuple(outputs or [nodes[-1].name]))


def ranges(images=8, **amax):
    """A Calibration with the given ranges; `pre_c` stands for the tensor c:pre."""
    names = {name: f"{name[4:]}:pre" if name.startswith("pre_") else name for name in amax}
    return Calibration({names[name]: float(value) for name, value in amax.items()}, images)
