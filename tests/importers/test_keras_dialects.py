"""The dialects of model_config, written by hand: each must mean the same network."""
import json

import h5py
import numpy as np
import pytest
from helpers.keras_files import call, conv, functional, image, layer, outputs, write

from hwsim.errors import FileError, UnsupportedError
from hwsim.importers import load, sensor_defaults

DOUBLE = [("c/kernel:0", np.full((1, 1, 1, 1), 2.0)), ("c/bias:0", [1.0])]
X = np.arange(6.0).reshape(1, 2, 3, 1)


def refusal(path, kind=UnsupportedError):
    with pytest.raises(kind) as caught:
        load(path)
    prefix = f"{path}: "
    assert str(caught.value).startswith(prefix)
    return str(caught.value)[len(prefix):]


def sequential(first, **extra):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": first, **extra}}


def item(kind, name, **config):
    """A layer of a Sequential: no outer name."""
    return {"class_name": kind, "config": {"name": name, **config}}


CONV = {"filters": 1, "kernel_size": [1, 1]}
SHAPE = [None, None, None, 1]
SEQUENTIALS = {
    "list": {"class_name": "Sequential", "config": [item("Conv2D", "c", batch_input_shape=SHAPE, **CONV)]},
    "dict": sequential([item("Conv2D", "c", batch_input_shape=SHAPE, **CONV)]),
    "batch_shape": sequential([item("InputLayer", "in", batch_shape=SHAPE), item("Conv2D", "c", **CONV)]),
    "input layer": sequential([item("InputLayer", "in", batch_input_shape=SHAPE), item("Conv2D", "c", **CONV)]),
    "build shape": sequential([item("Conv2D", "c", **CONV)], build_input_shape=SHAPE),
}


@pytest.mark.parametrize("model", SEQUENTIALS.values(), ids=SEQUENTIALS)
def test_sequential(tmp_path, model):
    np.testing.assert_array_equal(outputs(write(tmp_path / "m.h5", model, {"c": DOUBLE}), X)[0], 2 * X + 1)


def test_sequential_without_a_shape(tmp_path):
    path = write(tmp_path / "m.h5", sequential([item("Conv2D", "c", **CONV)]), {"c": DOUBLE})
    assert refusal(path, FileError) == "input: the model must declare its input as [N, H, W, channels], not None"


def test_bytes_config_and_no_version(tmp_path):
    """h5py of Keras 2.0 wrote model_config as bytes; the version may be missing."""
    model = json.dumps(SEQUENTIALS["list"])
    path = write(tmp_path / "m.h5", model, {"c": DOUBLE}, version=None)
    np.testing.assert_array_equal(outputs(path, X)[0], 2 * X + 1)


@pytest.mark.parametrize("ends", [("x", 0, 0), [["x", 0, 0]], {"a": ["x", 0, 0]}], ids=["flat", "nested", "dict"])
def test_input_layers(tmp_path, ends):
    model = functional([image(), conv("c", 1, [call("x")])], ends, ["c", 0, 0])
    np.testing.assert_array_equal(outputs(write(tmp_path / "m.h5", model, {"c": DOUBLE}), X)[0], 2 * X + 1)


def test_shared_layer(tmp_path):
    """Two calls of one layer: the second node is named c:1 and reads the same weights."""
    model = functional([image(), conv("c", 1, [call("x"), call(["c", 0, 0])])], [["x", 0, 0]], [["c", 1, 0], ["c", 0, 0]])
    path = write(tmp_path / "m.h5", model, {"c": DOUBLE})
    graph = load(path)
    assert [node.name for node in graph.nodes] == ["x", "c", "c:1"]
    assert graph["c"].params["weights"] is not None and graph.outputs == ("c:1", "c")
    second, first = outputs(path, X)
    np.testing.assert_array_equal(first, 2 * X + 1)
    np.testing.assert_array_equal(second, 4 * X + 3)


def test_layers_out_of_order(tmp_path):
    model = functional([layer("Add", "a", calls=[call("c", "x")]), conv("c", 1, [call("x")]), image()],
                       [["x", 0, 0]], [["a", 0, 0]])
    np.testing.assert_array_equal(outputs(write(tmp_path / "m.h5", model, {"c": DOUBLE}), X)[0], 3 * X + 1)


def test_several_inputs_keep_the_order_of_the_model(tmp_path):
    model = functional([image("b"), image("a"), layer("Subtract", "s", calls=[call("a", "b")])],
                       [["a", 0, 0], ["b", 0, 0]], [["s", 0, 0]])
    path = write(tmp_path / "m.h5", model, {})
    assert load(path).inputs == ("a", "b")
    np.testing.assert_array_equal(outputs(path, X, 3 * X)[0], -2 * X)


def test_output_named_twice_and_an_inner_one(tmp_path):
    model = functional([image(), conv("c", 1, [call("x")]), layer("Dropout", "d", calls=[call("c")]),
                        layer("ReLU", "r", calls=[call("d")])],
                       [["x", 0, 0]], [["d", 0, 0], ["r", 0, 0], ["c", 0, 0]])
    path = write(tmp_path / "m.h5", model, {"c": [("c/kernel:0", np.full((1, 1, 1, 1), -1.0)), ("c/bias:0", [2.0])]})
    assert load(path).outputs == ("c", "r", "c")
    first, relu, last = outputs(path, X)
    np.testing.assert_array_equal(first, 2 - X)
    np.testing.assert_array_equal(last, 2 - X)
    np.testing.assert_array_equal(relu, np.maximum(2 - X, 0))


def nested(first_call, trainable=True):
    """x -> inner(x) -> inner(inner(x)); inner is c then a batch norm. Calls of inner are counted from `first_call`."""
    inner = functional([image("i"), conv("c", 1, [call("i")]), layer("BatchNormalization", "b", calls=[call("c")], axis=[3],
                                                                     epsilon=0.0)],
                       [["i", 0, 0]], [["b", 0, 0]], "inner")
    inner["config"]["trainable"] = trainable
    item = {**inner, "name": "inner", "inbound_nodes": [call("x"), call(["inner", first_call, 0])]}
    return functional([image(), item], [["x", 0, 0]], [["inner", first_call + 1, 0]])


NORM = {"gamma:0": [3.0], "beta:0": [1.0], "moving_mean:0": [2.0], "moving_variance:0": [4.0]}


@pytest.mark.parametrize("first_call", [0, 1])
def test_nested_model(tmp_path, first_call):
    """One group with the trainable weights of all layers first; Keras 2 counts calls from 1 or from 0."""
    weights = [("c/kernel:0", np.full((1, 1, 1, 1), 2.0)), ("c/bias:0", [1.0])]
    norm = [(f"b/{name}", value) for name, value in NORM.items()]
    path = write(tmp_path / "m.h5", nested(first_call), {"inner": [*weights, *norm]})
    assert [node.name for node in load(path).nodes] == ["x", "inner/c", "inner/b", "inner:1/c", "inner:1/b"]

    def once(x):
        return (2 * x + 1 - 2) * 1.5 + 1
    np.testing.assert_array_equal(outputs(path, X)[0], once(once(X)))


def test_frozen_layer_moves_to_the_others(tmp_path):
    """A frozen convolution before a batch norm: its weights come after gamma and beta."""
    model = nested(1)
    model["config"]["layers"][1]["config"]["layers"][1]["config"]["trainable"] = False
    norm = [(f"b/{name}", value) for name, value in NORM.items()]
    weights = [*norm[:2], *DOUBLE, *norm[2:]]
    path = write(tmp_path / "m.h5", model, {"inner": weights})
    np.testing.assert_array_equal(load(path)["inner/c"].params["weights"].ravel(), [2.0])
    path = write(tmp_path / "wrong.h5", model, {"inner": [*DOUBLE, *norm]})
    assert refusal(path, FileError) == "inner: weight 'c/kernel:0' must be the gamma of inner/b, not its kernel"


def test_names_with_a_second_suffix(tmp_path):
    """Weights go by position: the names inside weight_names may belong to another layer."""
    weights = [("other_7_1/kernel_3:0", np.full((1, 1, 1, 1), 2.0)), ("other_7_1/bias_3:0", [1.0])]
    path = write(tmp_path / "m.h5", SEQUENTIALS["list"], {"c": weights})
    np.testing.assert_array_equal(outputs(path, X)[0], 2 * X + 1)


def test_weight_names_in_parts(tmp_path):
    """Keras spreads an attribute past 64 KB over weight_names0, weight_names1, ..."""
    path = write(tmp_path / "m.h5", SEQUENTIALS["list"], {"c": DOUBLE})
    with h5py.File(path, "r+") as file:
        attrs = file["model_weights/c"].attrs
        names = attrs["weight_names"]
        del attrs["weight_names"]
        attrs["weight_names0"], attrs["weight_names1"] = names[:1], names[1:]
    np.testing.assert_array_equal(outputs(path, X)[0], 2 * X + 1)


def tensor(name, number=0):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": [name, number, 0]}}


def keras3_call(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


def test_keras3_calls_and_dtype_policy(tmp_path):
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}, "registered_name": None}
    layers = [image(), conv("c", 1, [keras3_call(tensor("x"))], dtype=policy),
              layer("Add", "a", calls=[keras3_call([tensor("c"), tensor("x")])], dtype=policy),
              {"class_name": "Multiply", "config": {"name": "m"}, "name": "m", "inbound_nodes": [keras3_call(tensor("a"), 0.5)]},
              {"class_name": "Subtract", "config": {"name": "s"}, "name": "s", "inbound_nodes": [keras3_call(1.0, tensor("m"))]}]
    model = functional(layers, ["x", 0, 0], ["s", 0, 0], kind="Functional")
    path = write(tmp_path / "m.h5", model, {"c": DOUBLE}, version="3.5.0", backend="jax")
    assert [node.op for node in load(path).nodes] == ["input", "conv2d", "add", "scale", "affine"]
    np.testing.assert_array_equal(outputs(path, X)[0], 1 - (3 * X + 1) / 2)


def lambda_node(function, name, args, kind="TFOpLambda"):
    return layer(kind, name, calls=[args], function=function)


CONSTANT_FIRST = ["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0], "name": None}]
FUNCTIONS = {
    "1 - x": (lambda_node("math.subtract", "f", CONSTANT_FIRST), lambda x: 1 - x),
    "x * vector": (lambda_node("math.multiply", "f", ["x", 0, 0, {"y": [2.0]}]), lambda x: 2 * x),
    "x / -4": (lambda_node("math.truediv", "f", ["x", 0, 0, {"y": -4}]), lambda x: x / -4),
    "x + x": (lambda_node("__operators__.add", "f", ["x", 0, 0, {"y": ["x", 0, 0]}]), lambda x: x + x),
    "clip": (lambda_node("clip_by_value", "f", ["x", 0, 0, {"clip_value_min": 1, "clip_value_max": 3.5}]),
             lambda x: np.clip(x, 1, 3.5)),
    "concat": (lambda_node("concat", "f", [["x", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]]),
               lambda x: np.concatenate([x, x], -1)),
    "x[:, 1:, :-1]": (lambda_node("__operators__.getitem", "f", ["x", 0, 0, {"slice_spec": [
        {"start": None, "stop": None, "step": None}, {"start": 1, "stop": None, "step": None},
        {"start": None, "stop": -1, "step": None}]}], "SlicingOpLambda"), lambda x: x[:, 1:, :-1]),
    "x[:, ::2, 1::2]": (lambda_node("__operators__.getitem", "f", ["x", 0, 0, {"slice_spec": [
        {"start": None, "stop": None, "step": None}, {"start": None, "stop": None, "step": 2},
        {"start": 1, "stop": None, "step": 2}, {"class_name": "__ellipsis__"}]}], "SlicingOpLambda"), lambda x: x[:, ::2, 1::2]),
}


@pytest.mark.parametrize("item, expected", FUNCTIONS.values(), ids=FUNCTIONS)
def test_tf_lambda(tmp_path, item, expected):
    path = write(tmp_path / "m.h5", functional([image(), item], [["x", 0, 0]], [["f", 0, 0]]), {})
    np.testing.assert_array_equal(outputs(path, X)[0], expected(X))


def test_tf_lambda_of_an_unknown_function(tmp_path):
    item = lambda_node("image.resize", "f", ["x", 0, 0, {"size": [4, 4]}])
    path = write(tmp_path / "m.h5", functional([image(), item], [["x", 0, 0]], [["f", 0, 0]]), {})
    assert refusal(path) == "layers must be of a supported kind, not TFOpLambda 'image.resize' (f)"


def tf_node(op, attr=None, constants=None, as_text=False):
    node = {"name": op, "op": op, "input": ["x"], "attr": attr or {}}
    return layer("TensorFlowOpLayer", "f", calls=[call("x")], node_def=json.dumps(node) if as_text else node,
                 constants=constants or {})


NODES = {
    "x - 2": (tf_node("Sub", constants={"1": 2.0}), lambda x: x - 2),
    "2 - x": (tf_node("Sub", constants={"0": 2.0}), lambda x: 2 - x),
    "depth": (tf_node("DepthToSpace", {"block_size": {"i": "1"}, "data_format": {"s": "TkhXQw=="}}), lambda x: x),
    "text": (tf_node("Mul", {"T": {"type": "DT_FLOAT"}}, {"1": 0.5}, as_text=True), lambda x: x / 2),
}


@pytest.mark.parametrize("item, expected", NODES.values(), ids=NODES)
def test_tf_node(tmp_path, item, expected):
    path = write(tmp_path / "m.h5", functional([image(), item], [["x", 0, 0]], [["f", 0, 0]]), {})
    np.testing.assert_array_equal(outputs(path, X)[0], expected(X))


def test_hard_sigmoid_differs_between_versions(tmp_path):
    activation = layer("Activation", "h", calls=[call("x")], activation="hard_sigmoid")
    model = functional([image(), activation], ["x", 0, 0], ["h", 0, 0])
    old = outputs(write(tmp_path / "2.h5", model, {}, version="2.9.0"), X)[0]
    new = outputs(write(tmp_path / "3.h5", model, {}, version="3.0.0"), X)[0]
    np.testing.assert_array_equal(old, np.clip(0.2 * X + 0.5, 0, 1))
    np.testing.assert_array_equal(new, np.clip(X / 6 + 0.5, 0, 1))


@pytest.mark.parametrize("config, slope", [({}, 0.3), ({"alpha": 0.25}, 0.25), ({"negative_slope": 0.125}, 0.125)])
def test_leaky_relu_layer(tmp_path, config, slope):
    model = functional([image(), layer("LeakyReLU", "l", calls=[call("x")], **config)], ["x", 0, 0], ["l", 0, 0])
    np.testing.assert_array_equal(outputs(write(tmp_path / "m.h5", model, {}), -X)[0], -slope * X)


REFUSED = {
    "every unsupported layer at once": (
        [layer("LSTM", "one", calls=[call("x")]), layer("Lambda", "two", calls=[call("one")])], UnsupportedError,
        "layers must be of a supported kind, not LSTM (one), Lambda (two)"),
    "channels first": ([layer("MaxPooling2D", "two", calls=[call("x")], data_format="channels_first")], UnsupportedError,
                       "two (MaxPooling2D): data_format must be channels_last, not 'channels_first'"),
    "training": ([layer("Dropout", "two", calls=[[["x", 0, 0, {"training": True}]]])], UnsupportedError,
                 "two: the model must call its layers for inference, not with training=True"),
    "cycle": ([layer("ReLU", "one", calls=[call("two")]), layer("ReLU", "two", calls=[call("one")])], FileError,
              "one: layers must not feed themselves, not in a cycle"),
    "missing call": ([layer("ReLU", "two", calls=[call(["x", 3, 0])])], FileError,
                     "x: call 3, output 0 must exist, not be missing"),
    "two of a name": ([layer("ReLU", "two", calls=[call("x")])] * 2, FileError,
                      "two: a layer name must be unique, not used twice"),
    "softmax over rows": ([layer("Softmax", "two", calls=[call("x")], axis=1)], UnsupportedError,
                          "two (Softmax): axis must be the last one, not 1"),
    "text for a number": ([layer("UpSampling2D", "two", calls=[call("x")], size="2")], FileError,
                          "two: size of UpSampling2D must be two integers in 1..1024, not '2'"),
    "factor of a bomb": ([layer("UpSampling2D", "two", calls=[call("x")], size=[1, 1 << 40])], FileError,
                         "two: size of UpSampling2D must be two integers in 1..1024, not [1, 1099511627776]"),
    "no weights": ([conv("two", 1, [call("x")])], FileError, "the weights of layer 'two' must be in the file, not missing"),
}


@pytest.mark.parametrize("layers, kind, message", REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path, layers, kind, message):
    path = write(tmp_path / "m.h5", functional([image(), *layers], [["x", 0, 0]], [["two", 0, 0]]), {})
    assert refusal(path, kind) == message


def test_a_network_that_multiplies_itself(tmp_path):
    """Fourteen models, each calling the one inside it twice: refused by count, not by running out of memory."""
    model = functional([image("i"), layer("ReLU", "r", calls=[call("i")])], [["i", 0, 0]], [["r", 0, 0]], "m")
    for _ in range(14):
        inner = {**model, "name": "m", "inbound_nodes": [call("i"), call(["m", 0, 0])]}
        model = functional([image("i"), inner], [["i", 0, 0]], [["m", 1, 0]], "m")
    message = refusal(write(tmp_path / "m.h5", model, {}))
    assert message.endswith("a network must have at most 20000 layer calls, not more")


def test_sensor_defaults(tmp_path):
    path = write(tmp_path / "m.h5", SEQUENTIALS["list"], {"c": DOUBLE}, hwsim='{"cfa": "rgbw", "input_bits": 10}')
    assert sensor_defaults(path) == {"cfa": "rgbw", "input_bits": 10}
    assert sensor_defaults(write(tmp_path / "plain.h5", SEQUENTIALS["list"], {"c": DOUBLE})) == {}


@pytest.mark.parametrize("text, reason", [
    ('{"cfa": "../x"}', "cfa in attribute hwsim must be the name of a pattern, not '../x'"),
    ('{"input_bits": 16}', "input_bits in attribute hwsim must be 1..15, not 16"),
    ("[]", "attribute hwsim must be a JSON object, not list"),
])
def test_sensor_defaults_wrong(tmp_path, text, reason):
    path = write(tmp_path / "m.h5", SEQUENTIALS["list"], {"c": DOUBLE}, hwsim=text)
    with pytest.raises(FileError) as caught:
        sensor_defaults(path)
    assert str(caught.value) == f"{path}: {reason}"
