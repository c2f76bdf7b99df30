"""Dense: on the last axis of an input of any rank."""
import numpy as np

from hwsim.importers.keras.layers.activation import activate
from hwsim.importers.keras.layers.kind import LayerKind


def dense(call):
    """The output tensor of a Dense layer."""
    units, channels = call.config.integer("units"), call.channels()
    weights = call.read("kernel", (channels, units)).T
    bias = call.read("bias", (units,)) if call.config.boolean("use_bias", True) else np.zeros(units)
    return activate(call, call.add("dense", weights=weights, bias=bias))


def _slots(config):
    return ["kernel", "bias"] if config.boolean("use_bias", True) else ["kernel"], []


KINDS = {"Dense": LayerKind(dense, _slots)}
