"""Every .h5 of the conformance cases and published checkpoints, through load and evaluate, against the frameworks' outputs."""
import json

import numpy as np
import pytest
from helpers.shared_data import DATA, needs_data

from hwsim.errors import HwsimError
from hwsim.importers import load
from hwsim.quantization.float_net.run import evaluate

FOLDERS = ("conformance/keras", "conformance/bad", "checkpoints")


def entries(folder):
    """The cases of a folder's index, or one that is skipped where the folder is absent."""
    path = DATA / folder / "index.json"
    if not path.exists():
        return [pytest.param(folder, None, id=folder, marks=needs_data(f"{folder}/index.json"))]
    return [pytest.param(folder, entry, id=entry["file"]) for entry in json.loads(path.read_text())
            if entry["file"].endswith((".h5", ".hdf5")) or folder.endswith("bad")]


def reference(folder, entry):
    path = DATA / folder / entry["npz"]
    return np.load(path if path.exists() else DATA / "conformance/keras" / entry["npz"])


def assert_close(value, stored, key, rtol):
    """Within rtol of the largest output; a large reference keeps only a window of the whole."""
    kept = stored[key]
    if f"{key}_at" in stored:
        assert value.shape == tuple(stored[f"{key}_shape"])
        value = value[tuple(slice(at, at + size) for at, size in zip(stored[f"{key}_at"], kept.shape))]
    largest = stored[f"{key}_absmax"] if f"{key}_absmax" in stored else np.abs(kept).max()
    assert value.shape == kept.shape
    assert np.abs(value - kept).max() <= rtol * largest


@pytest.mark.parametrize("folder, entry", [case for folder in FOLDERS for case in entries(folder)])
def test_verdict(folder, entry):
    path = DATA / folder / entry["file"]
    try:
        graph = load(path)
    except HwsimError as error:
        assert entry["verdict"] in ("refuse", "either")
        assert str(error).startswith(f"{path}: ") and str(error).isprintable()
    else:
        assert entry["verdict"] in ("accept", "either")
        assert_outputs(graph, entry, reference(folder, entry))


def assert_outputs(graph, entry, stored):
    """At every size of the entry, the float network's outputs are the framework's."""
    for size in entry["sizes"]:
        outputs = evaluate(graph, {name: stored[key] for name, key in zip(graph.inputs, size["inputs"], strict=True)})
        for value, key in zip(outputs, size["outputs"], strict=True):
            assert_close(value, stored, key, entry["rtol"])


# What is said of each bad file, after its name (the rest of the line may be the library's own words)
REASONS = [
    ("truncated_half.h5", "an HDF5 file must be whole and readable, not damaged"),
    ("empty.h5", "the file must be a checkpoint, not empty"),
    ("text.h5", "the file must be a checkpoint, not a Git LFS pointer: fetch the content with git lfs pull"),
    ("wrong_shape.h5", "conv2d: kernel (dataset 'conv2d/kernel:0') must have shape 9x9x1x8, not 8x9x1x8"),
    ("nan_weight.h5", "conv2d: kernel (dataset 'conv2d/kernel:0') must hold finite numbers, not nan at [0, 0, 0, 0]"),
    ("missing_weight.h5", "conv2d: bias (dataset 'conv2d/bias:0') must be in the file, not missing"),
    ("no_model_config.h5", "the file must hold the architecture (model_config), not weights only: save the whole model"),
    ("bad_json.h5", "model_config must be JSON, not broken text"),
    ("unsupported_layer.h5", "layers must be of a supported kind, not MultiHeadAttention (conv2d)"),
    ("unknown_activation.h5", "conv2d (Conv2D): the activation must be a known function, not 'mish_custom'"),
    ("dangling_inbound.h5", "activation: an input must come from a layer of the model, not 'no_such_layer'"),
    ("config_bomb.h5", "conv2d: kernel (dataset 'conv2d/kernel:0') must have shape 9x9x1x1099511627776, not 9x9x1x8"),
    ("shape_bomb.h5", "conv2d: kernel (dataset 'conv2d/kernel:0') must have shape 9x9x1x8, not 1048576x65536x1x8"),
    ("external_link.h5", "the weights of layer 'conv2d' must be in the file itself, not behind a link"),
    ("string_weights.h5", "conv2d: kernel (dataset 'conv2d/kernel:0') must have shape 9x9x1x8, not 4"),
    ("lambda_marshal.h5", "layers must be of a supported kind, not Lambda (evil)"),
    ("keras1_nb_layers.h5", "the file must be written by Keras 2 or 3, not in the unsupported legacy layout of Keras 0 and 1"),
    ("matlab_v73.h5", "the file must be a Keras model (HDF5 with model_config), not another kind of HDF5 file"),
    ("bad_config.keras", "the checkpoint must be an HDF5 file, not a zip archive (.keras): save the model as .h5"),
]


@needs_data("conformance/bad")
@pytest.mark.parametrize("file, reason", REASONS, ids=[file for file, _ in REASONS])
def test_reason(file, reason):
    path = DATA / "conformance/bad" / file
    with pytest.raises(HwsimError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {reason}")
