"""Small Keras .h5 files written by hand, in the dialects of different versions."""
import json

import h5py
import numpy as np

from hwsim.importers import load
from hwsim.quantization.float_net.run import evaluate


def write(path, model, groups, version="2.2.4", **root):
    """A whole-model file: `model` is its model_config, `groups` layer -> [(weight name, array)]; returns `path`."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = model if isinstance(model, str) else json.dumps(model)
        if version is not None:
            file.attrs["keras_version"] = version
        for key, value in root.items():
            file.attrs[key] = value
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [name.encode() for name in groups]
        for layer, arrays in groups.items():
            group = weights.create_group(layer)
            group.attrs["weight_names"] = np.array([name.encode() for name, _ in arrays], dtype="S")
            for name, array in arrays:
                group[name] = np.asarray(array, np.float32)
    return path


def layer(kind, name, *, calls=None, **config):
    """One layer of a Keras 2 configuration; `calls` are its inbound_nodes."""
    item = {"class_name": kind, "config": {"name": name, "trainable": True, **config}, "name": name}
    return item if calls is None else {**item, "inbound_nodes": calls}


def functional(layers, inputs, outputs, name="model", kind="Model"):
    return {"class_name": kind, "config": {"name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}}


def image(name="x", channels=1, size=(None, None)):
    return layer("InputLayer", name, calls=[], batch_input_shape=[None, *size, channels])


def call(*tensors):
    """One call of a layer on [layer, call, output] or layer names."""
    return [[*([tensor, 0, 0] if isinstance(tensor, str) else tensor), {}] for tensor in tensors]


def conv(name, filters, calls=None, **config):
    return layer("Conv2D", name, calls=calls, filters=filters, kernel_size=[1, 1], **config)


def outputs(path, *inputs):
    """The outputs of the float network at `path`."""
    graph = load(path)
    return evaluate(graph, dict(zip(graph.inputs, map(np.asarray, inputs), strict=True)))
