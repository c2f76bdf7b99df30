"""Writes the tiny checkpoints of tests/data: networks of a few layers in the .h5 layouts of Keras 2 and 3, and their outputs.

    python tools/write_tiny_checkpoints.py tests/data

Beside NAME.h5 stands NAME.npz: x (N,H,W,C) and y, what the network makes of x, float32. y is computed here, layer by layer from
the definition of each layer as Keras documents it, by loops in float64 that share nothing with the package. No framework is
needed: h5py writes the files. Weights are uniform numbers of a generator that NumPy keeps as it is (RandomState).
"""
import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

# ---- what the layers compute: x is (N,H,W,C), kernels are as Keras stores them


def padded(x: np.ndarray, kernel: tuple, stride: int, padding: str, fill: float = 0.0) -> np.ndarray:
    """x with the border of `same`: as many outputs as ceil(size / stride), the odd pixel at the bottom and on the right."""
    if padding == "valid":
        return x
    totals = [max((-(-size // stride) - 1) * stride + k - size, 0) for size, k in zip(x.shape[1:3], kernel)]
    return np.pad(x, ((0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)), constant_values=fill)


def windows(x: np.ndarray, kernel: tuple, stride: int) -> np.ndarray:
    """(N,OH,OW,KH,KW,C)."""
    oh, ow = ((size - k) // stride + 1 for size, k in zip(x.shape[1:3], kernel))
    rows = [[x[:, y * stride:y * stride + kernel[0], z * stride:z * stride + kernel[1]] for z in range(ow)] for y in range(oh)]
    return np.array(rows).transpose(2, 0, 1, 3, 4, 5)


def conv2d(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int, padding: str) -> np.ndarray:
    """kernel (KH,KW,IC,OC)."""
    cut = windows(padded(x, kernel.shape[:2], stride, padding), kernel.shape[:2], stride)
    return np.stack([(cut * kernel[..., oc]).sum(axis=(3, 4, 5)) + bias[oc] for oc in range(kernel.shape[3])], axis=-1)


def depthwise2d(x: np.ndarray, kernel: np.ndarray, stride: int, padding: str) -> np.ndarray:
    """kernel (KH,KW,IC,M): output channel ic*M + m."""
    cut = windows(padded(x, kernel.shape[:2], stride, padding), kernel.shape[:2], stride)
    outs = [(cut[..., ic] * kernel[..., ic, m]).sum(axis=(3, 4)) for ic in range(x.shape[3]) for m in range(kernel.shape[3])]
    return np.stack(outs, axis=-1)


def conv2d_transpose(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """kernel (KH,KW,OC,IC) not smaller than the stride, padding `same`: stride times as many rows and columns."""
    (kh, kw, oc, _), (n, height, width, _) = kernel.shape, x.shape
    full = np.zeros((n, (height - 1) * stride + kh, (width - 1) * stride + kw, oc))
    for y, z, ky, kx in np.ndindex(height, width, kh, kw):
        full[:, y * stride + ky, z * stride + kx] += x[:, y, z] @ kernel[ky, kx].T
    top, left = (kh - stride) // 2, (kw - stride) // 2
    return full[:, top:top + height * stride, left:left + width * stride] + bias


def depth_to_space(x: np.ndarray, block: int) -> np.ndarray:
    n, height, width, channels = x.shape
    y = np.zeros((n, height * block, width * block, channels // block ** 2))
    for dy, dx in np.ndindex(block, block):
        start = (dy * block + dx) * y.shape[3]
        y[:, dy::block, dx::block] = x[..., start:start + y.shape[3]]
    return y


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x)
    return powers / powers.sum(axis=-1, keepdims=True)


FUNCTIONS = {"linear": lambda x: x, "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
             "softmax": softmax}


# ---- how the two versions write a model

@dataclass(frozen=True, eq=False)
class Tensor:
    """The output of a layer: its name and its float64 values for the example input."""

    layer: str
    value: np.ndarray


class Keras2:
    """The names and calls of a model as Keras 2 stores them."""

    VERSION, SHAPE, DTYPE, SUFFIX = "2.15.0", "batch_input_shape", "float32", ":0"

    @staticmethod
    def calls(sources: list, arguments: dict) -> list:
        return [[[source.layer, 0, 0, arguments] for source in sources]] if sources else []

    @staticmethod
    def function(source: Tensor, name: str, arguments: dict) -> tuple:
        """(class, configuration, inbound nodes) of a call of tf.nn."""
        return "TFOpLambda", {"function": f"nn.{name}"}, [[source.layer, 0, 0, arguments]]


class Keras3:
    """The names and calls of a model as Keras 3 stores them."""

    VERSION, SHAPE, SUFFIX = "3.5.0", "batch_shape", ""
    DTYPE = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}

    @staticmethod
    def calls(sources: list, arguments: dict) -> list:
        tensors = [{"class_name": "__keras_tensor__",
                    "config": {"shape": [None, *source.value.shape[1:]], "dtype": "float32",
                               "keras_history": [source.layer, 0, 0]}} for source in sources]
        return [{"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": arguments}] if sources else []


class Network:
    """A model in the layout of `keras`: every method appends a layer, its weights and what it makes of the example."""

    def __init__(self, keras: type, seed: int, prefix: str = ""):
        self.keras, self.random, self.prefix = keras, np.random.RandomState(seed), prefix
        self.layers, self.weights = [], {}

    def add(self, kind: str, name: str, sources: list, value: np.ndarray, weights: dict | None = None, **config) -> Tensor:
        """A layer that is called with its sources; weights: key -> array, in the order of the file."""
        self.append(kind, name, config, self.keras.calls(sources, {}))
        self.weights[name] = [(f"{self.prefix}{name}/{key}{self.keras.SUFFIX}", array) for key, array in (weights or {}).items()]
        return Tensor(name, value)

    def append(self, kind: str, name: str, config: dict, calls: list) -> None:
        dtype = {} if "layers" in config else {"dtype": self.keras.DTYPE}
        self.layers.append({"class_name": kind, "config": {"name": name, "trainable": True, **dtype, **config}, "name": name,
                            "inbound_nodes": calls})

    def uniform(self, *shape: int, lo: float = -1.0, hi: float = 1.0) -> np.ndarray:
        """float32 numbers, as they are stored."""
        return self.random.uniform(lo, hi, shape).astype(np.float32)

    def kernel(self, *shape: int) -> np.ndarray:
        """Weights with which the sums over all but the last axis are of the size of the inputs."""
        return self.uniform(*shape) * np.float32((6 / np.prod(shape[:-1])) ** 0.5)

    def image(self, *shape: int) -> Tensor:
        """The input, any height and width, and an example with values from 0 to 1."""
        return self.add("InputLayer", "image", [], self.uniform(*shape, lo=0.0).astype(np.float64),
                        **{self.keras.SHAPE: [None, None, None, shape[3]]})

    def inner(self, name: str, source: Tensor) -> tuple["Network", Tensor]:
        """A model to be called `name`, and its input."""
        network = Network(self.keras, self.random.randint(1 << 30), f"{name}/")
        shape = [None, None, None, source.value.shape[3]]
        return network, network.add("InputLayer", f"{name}_image", [], source.value, **{self.keras.SHAPE: shape})

    def conv(self, name: str, x: Tensor, oc: int, size: int = 3, stride: int = 1, padding: str = "same",
             activation: str = "linear") -> Tensor:
        kernel, bias = self.kernel(size, size, x.value.shape[3], oc), self.uniform(oc, lo=-0.2, hi=0.2)
        y = FUNCTIONS[activation](conv2d(x.value, kernel, bias, stride, padding))
        return self.add("Conv2D", name, [x], y, {"kernel": kernel, "bias": bias}, filters=oc, kernel_size=[size] * 2,
                        strides=[stride] * 2, padding=padding, data_format="channels_last", dilation_rate=[1, 1], groups=1,
                        activation=activation, use_bias=True)

    def depthwise(self, name: str, x: Tensor, multiplier: int) -> Tensor:
        kernel = self.kernel(3, 3, x.value.shape[3], multiplier)
        return self.add("DepthwiseConv2D", name, [x], depthwise2d(x.value, kernel, 1, "same"), {"depthwise_kernel": kernel},
                        kernel_size=[3, 3], strides=[1, 1], padding="same", data_format="channels_last", dilation_rate=[1, 1],
                        activation="linear", use_bias=False, depth_multiplier=multiplier)

    def transposed(self, name: str, x: Tensor, oc: int, size: int, activation: str) -> Tensor:
        kernel, bias = self.kernel(size, size, oc, x.value.shape[3]), self.uniform(oc, lo=-0.2, hi=0.2)
        y = FUNCTIONS[activation](conv2d_transpose(x.value, kernel, bias, 2))
        return self.add("Conv2DTranspose", name, [x], y, {"kernel": kernel, "bias": bias}, filters=oc, kernel_size=[size] * 2,
                        strides=[2, 2], padding="same", data_format="channels_last", dilation_rate=[1, 1], groups=1,
                        activation=activation, use_bias=True, output_padding=None)

    def normalized(self, name: str, x: Tensor) -> Tensor:
        channels, epsilon = x.value.shape[3], 0.001
        gamma, beta, mean = self.uniform(channels, lo=0.5, hi=1.5), *self.uniform(2, channels, lo=-0.3, hi=0.3)
        variance = self.uniform(channels, lo=0.2, hi=0.8)
        y = gamma * (x.value - mean) / np.sqrt(variance.astype(np.float64) + epsilon) + beta
        return self.add("BatchNormalization", name, [x], y,
                        {"gamma": gamma, "beta": beta, "moving_mean": mean, "moving_variance": variance},
                        axis=[3], momentum=0.99, epsilon=epsilon, center=True, scale=True)

    def prelu(self, name: str, x: Tensor) -> Tensor:
        alpha = self.uniform(1, 1, x.value.shape[3], lo=0.05, hi=0.4)
        y = np.where(x.value < 0, alpha * x.value, x.value)
        return self.add("PReLU", name, [x], y, {"alpha": alpha}, shared_axes=[1, 2])

    def relu(self, name: str, x: Tensor, most: float) -> Tensor:
        return self.add("ReLU", name, [x], x.value.clip(0, most), max_value=most, negative_slope=0.0, threshold=0.0)

    def total(self, name: str, *tensors: Tensor) -> Tensor:
        return self.add("Add", name, list(tensors), sum(tensor.value for tensor in tensors))

    def joined(self, name: str, *tensors: Tensor) -> Tensor:
        return self.add("Concatenate", name, list(tensors), np.concatenate([t.value for t in tensors], axis=-1), axis=-1)

    def max_pool(self, name: str, x: Tensor) -> Tensor:
        y = windows(padded(x.value, (2, 2), 2, "same", -np.inf), (2, 2), 2).max(axis=(3, 4))
        return self.add("MaxPooling2D", name, [x], y, **self._pool("same"))

    def average_pool(self, name: str, x: Tensor) -> Tensor:
        return self.add("AveragePooling2D", name, [x], windows(x.value, (2, 2), 2).mean(axis=(3, 4)), **self._pool("valid"))

    @staticmethod
    def _pool(padding: str) -> dict:
        return {"pool_size": [2, 2], "padding": padding, "strides": [2, 2], "data_format": "channels_last"}

    def doubled(self, name: str, x: Tensor) -> Tensor:
        return self.add("UpSampling2D", name, [x], x.value.repeat(2, axis=1).repeat(2, axis=2), size=[2, 2],
                        data_format="channels_last", interpolation="nearest")

    def mean(self, name: str, x: Tensor) -> Tensor:
        return self.add("GlobalAveragePooling2D", name, [x], x.value.mean(axis=(1, 2)), data_format="channels_last",
                        keepdims=False)

    def dense(self, name: str, x: Tensor, units: int, activation: str) -> Tensor:
        kernel, bias = self.kernel(x.value.shape[1], units), self.uniform(units, lo=-0.2, hi=0.2)
        y = FUNCTIONS[activation](x.value @ kernel + bias)
        return self.add("Dense", name, [x], y, {"kernel": kernel, "bias": bias}, units=units, activation=activation,
                        use_bias=True)

    def shuffled(self, name: str, x: Tensor) -> Tensor:
        """tf.nn.depth_to_space by 2, a call of a function and not of a layer."""
        kind, config, calls = self.keras.function(x, "depth_to_space", {"block_size": 2})
        self.append(kind, name, config, calls)
        self.weights[name] = []
        return Tensor(name, depth_to_space(x.value, 2))

    def nested(self, name: str, x: Tensor, network: "Network", output: Tensor) -> Tensor:
        """A call of another model: its weights are one group, those that are not trained come last."""
        arrays = [weight for weights in network.weights.values() for weight in weights]
        arrays.sort(key=lambda weight: "/moving_" in weight[0])
        model = network.model(output)
        self.append(model["class_name"], name, {**model["config"], "name": name}, self.keras.calls([x], {}))
        self.weights[name] = arrays
        return Tensor(name, output.value)

    def model(self, output: Tensor) -> dict:
        """The architecture: functional, with one input and one output."""
        config = {"name": "tiny", "trainable": True, "layers": self.layers,
                  "input_layers": [[self.layers[0]["name"], 0, 0]], "output_layers": [[output.layer, 0, 0]]}
        return {"class_name": "Functional", "config": config}


class Sequence(Network):
    """A model whose layers follow one another: no calls are stored."""

    def model(self, output: Tensor) -> dict:
        layers = [{key: layer[key] for key in ("class_name", "config")} for layer in self.layers]
        return {"class_name": "Sequential", "config": {"name": "tiny", "trainable": True, "layers": layers}}


# ---- the networks: each returns (Network, input, output)

def k2_sequential():
    """Both paddings and a stride, each convolution with its relu inside."""
    n = Sequence(Keras2, 1)
    x = n.image(2, 9, 11, 1)
    y = n.conv("first", x, 6, size=5, activation="relu")
    y = n.conv("second", y, 8, stride=2, activation="relu")
    return n, x, n.conv("third", y, 2, padding="valid")


def k2_prelu_depth_to_space():
    """Super-resolution: slopes per channel, a residual, and tf.nn.depth_to_space at the end."""
    n = Network(Keras2, 2)
    x = n.image(1, 7, 10, 2)
    y = n.total("sum", x, n.prelu("slope", n.conv("a", x, 2, size=5)))
    return n, x, n.shuffled("tf.nn.depth_to_space", n.conv("b", y, 12))


def k2_depthwise_batchnorm():
    """A block of a mobile network: a depthwise convolution, its batch norm and a bounded relu, then a pointwise one."""
    n = Network(Keras2, 3)
    x = n.image(2, 8, 7, 4)
    y = n.relu("relu", n.normalized("norm", n.depthwise("wide", x, 2)), 6.0)
    return n, x, n.total("sum", x, n.conv("narrow", y, 4, size=1))


def k2_transposed():
    """Down by a stride of 2 and up by transposed convolutions of an odd and an even kernel."""
    n = Network(Keras2, 4)
    x = n.image(1, 6, 9, 2)
    y = n.conv("down", x, 6, stride=2, activation="relu")
    return n, x, n.transposed("out", n.transposed("up", y, 4, 3, "relu"), 1, 4, "sigmoid")


def k3_unet():
    """One level: down by a maximum, up by repeated pixels, and a join."""
    n = Network(Keras3, 5)
    x = n.image(1, 8, 12, 3)
    top = n.conv("top", x, 4, activation="relu")
    bottom = n.conv("bottom", n.max_pool("down", top), 4, activation="relu")
    return n, x, n.conv("out", n.joined("join", n.doubled("up", bottom), top), 3, size=1)


def k3_softmax_head():
    """A classifier: means over pairs of pixels and over all of them, two dense layers, probabilities."""
    n = Network(Keras3, 6)
    x = n.image(3, 9, 9, 2)
    y = n.mean("mean", n.average_pool("pool", n.conv("features", x, 8, activation="relu")))
    return n, x, n.dense("classes", n.dense("hidden", y, 10, "relu"), 5, "softmax")


def k3_nested():
    """A model inside a model, whose weights are stored as one group with the moving averages at its end."""
    n = Network(Keras3, 7)
    x = n.image(1, 6, 9, 3)
    block, y = n.inner("block", x)
    y = block.relu("relu", block.normalized("norm", block.conv("a", y, 4)), 6.0)
    y = block.conv("b", y, 3)
    return n, x, n.total("sum", x, n.nested("block", x, block, y))


NETWORKS = (k2_sequential, k2_prelu_depth_to_space, k2_depthwise_batchnorm, k2_transposed, k3_unet, k3_softmax_head, k3_nested)


# ---- files

def save(path: Path, network: Network, output: Tensor) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(network.model(output))
        file.attrs["keras_version"] = network.keras.VERSION
        file.attrs["backend"] = "tensorflow"
        stored = file.create_group("model_weights")
        stored.attrs["layer_names"] = np.array([name.encode() for name in network.weights], "S")
        for layer, arrays in network.weights.items():
            group = stored.create_group(layer)
            group.attrs["weight_names"] = np.array([name.encode() for name, _ in arrays], "S")
            for name, array in arrays:
                group[name] = array


def write(folder: Path) -> None:
    """All networks and their examples into an existing folder."""
    for build in NETWORKS:
        network, x, y = build()
        save(folder / f"{build.__name__}.h5", network, y)
        np.savez_compressed(folder / f"{build.__name__}.npz", x=x.value.astype(np.float32), y=y.value.astype(np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)


if __name__ == "__main__":
    main()
