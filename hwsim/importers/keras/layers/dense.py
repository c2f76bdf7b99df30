"""Dense: on the last axis of an input of any rank."""
import numpy as np

from hwsim.importers.keras.layer_config import LayerConfig
from hwsim.importers.keras.layers.activation import activate
from hwsim.importers.keras.layers.call import LayerCall
from hwsim.importers.keras.layers.kind import LayerKind, WeightNames


def dense(call: LayerCall) -> str:
    """The output tensor of a Dense layer."""
    units, channels = call.config.integer("units"), call.channels()
    weights = call.read("kernel", (channels, units)).T
    bias = call.read("bias", (units,)) if call.config.boolean("use_bias", True) else np.zeros(units)
    return activate(call, call.add("dense", weights=weights, bias=bias))


def _slots(config: LayerConfig) -> WeightNames:
    return ["kernel", "bias"] if config.boolean("use_bias", True) else ["kernel"], []


KINDS = {"Dense": LayerKind(dense, _slots)}
