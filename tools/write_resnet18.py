"""Writes a network of ResNet-18's layers as a Keras .h5, weights random from a seed: something large to count cycles of.

    python tools/write_resnet18.py resnet18.h5
    hwsim cycles resnet18.h5 --input-size 224x224
    hwsim overflow resnet18.h5

It has never seen a picture: its cycles, tiles and `datatype` widths are those of any ResNet-18, its outputs mean nothing.
"""
import argparse
import json

import h5py
import numpy as np

SIZE, CLASSES = 224, 1000
STAGES = (64, 128, 256, 512)


class Writer:
    """Layers of a functional model in order, and their weights."""

    def __init__(self, seed):
        self.rng, self.layers, self.weights = np.random.default_rng(seed), [], {}

    def add(self, kind, name, sources, weights=(), **config):
        """Appends a layer that reads `sources` (names); weights: (name, array). Returns its name."""
        calls = [[[source, 0, 0, {}] for source in sources]] if sources else []
        self.layers.append({"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls})
        if weights:
            self.weights[name] = [(f"{name}/{key}:0", np.asarray(array, np.float32)) for key, array in weights]
        return name

    def conv(self, name, source, oc, ic, kernel, stride, padding="same", gain=1.0):
        """A convolution without bias and its batch norm; `gain` is the norm's scale."""
        std = (2 / (kernel * kernel * ic)) ** 0.5
        values = self.rng.normal(0, std, (kernel, kernel, ic, oc))
        self.add("Conv2D", name, [source], [("kernel", values)], filters=oc, kernel_size=[kernel] * 2, strides=[stride] * 2,
                 padding=padding, use_bias=False, activation="linear", data_format="channels_last", dilation_rate=[1, 1])
        norm = {"gamma": np.full(oc, gain), "beta": self.rng.normal(0, 0.1, oc), "moving_mean": np.zeros(oc),
                "moving_variance": np.ones(oc)}
        return self.add("BatchNormalization", f"{name}_bn", [name], norm.items(), axis=[3], epsilon=1e-5, center=True, scale=True)

    def relu(self, name, source):
        return self.add("Activation", name, [source], activation="relu")

    def block(self, name, source, oc, ic, stride):
        """Two 3x3 convolutions beside the identity, or beside a 1x1 convolution where the size changes."""
        short = source if ic == oc else self.conv(f"{name}_short", source, oc, ic, 1, stride, gain=0.5)
        inner = self.relu(f"{name}_a_relu", self.conv(f"{name}_a", source, oc, ic, 3, stride))
        inner = self.conv(f"{name}_b", inner, oc, oc, 3, 1, gain=0.5)
        return self.relu(f"{name}_relu", self.add("Add", f"{name}_add", [inner, short]))

    def save(self, path, output):
        """The model with its one input `image` and its `output`."""
        config = {"name": "resnet18", "layers": self.layers, "input_layers": [["image", 0, 0]], "output_layers": [[output, 0, 0]]}
        model = {"class_name": "Functional", "config": config}
        with h5py.File(path, "w") as file:
            file.attrs.update(model_config=json.dumps(model), keras_version="2.11.0", backend="tensorflow")
            stored = file.create_group("model_weights")
            stored.attrs["layer_names"] = [layer["name"].encode() for layer in self.layers]
            for layer in self.layers:
                group, weights = stored.create_group(layer["name"]), self.weights.get(layer["name"], [])
                group.attrs["weight_names"] = np.array([name.encode() for name, _ in weights], "S")
                for name, array in weights:
                    group[name] = array


def resnet18(seed):
    """(Writer with every layer, name of the output)."""
    writer = Writer(seed)
    writer.add("InputLayer", "image", [], batch_input_shape=[None, SIZE, SIZE, 3])
    writer.add("ZeroPadding2D", "conv1_pad", ["image"], padding=[[3, 3], [3, 3]], data_format="channels_last")
    writer.relu("conv1_relu", writer.conv("conv1", "conv1_pad", 64, 3, 7, 2, padding="valid"))
    writer.add("ZeroPadding2D", "pool_pad", ["conv1_relu"], padding=[[1, 1], [1, 1]], data_format="channels_last")
    last, ic = writer.add("MaxPooling2D", "pool", ["pool_pad"], pool_size=[3, 3], strides=[2, 2], padding="valid"), 64
    for stage, oc in enumerate(STAGES, 1):
        for block in (1, 2):
            last, ic = writer.block(f"stage{stage}_{block}", last, oc, ic, 2 if stage > 1 and block == 1 else 1), oc
    writer.add("GlobalAveragePooling2D", "mean", [last], data_format="channels_last")
    weights = [("kernel", writer.rng.normal(0, 0.05, (ic, CLASSES))), ("bias", writer.rng.normal(0, 0.05, CLASSES))]
    return writer, writer.add("Dense", "classes", ["mean"], weights, units=CLASSES, activation="linear", use_bias=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    made, output = resnet18(given.seed)
    made.save(given.path, output)


if __name__ == "__main__":
    main()
