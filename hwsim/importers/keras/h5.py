"""Whole-model .h5 files of Keras 2.0 to 3.x as float Graphs, by h5py and JSON alone. Code in a file is never run."""
from hwsim.errors import FileError, UnsupportedError
from hwsim.graph.node import Graph
from hwsim.importers import json_text
from hwsim.importers.hdf5_file import Hdf5File, show
from hwsim.importers.keras.config import parse_model
from hwsim.importers.keras.graph import to_graph
from hwsim.importers.keras.weights import WeightStore

BACKENDS = (None, "tensorflow", "jax", "torch", "numpy", "openvino")
WEIGHT_GROUPS = ("model_weights", "layers", "_layer_checkpoint_dependencies")  # in .weights.h5 files of Keras 2 and 3


def read(file: Hdf5File) -> Graph:
    """The float Graph of an open Hdf5File. Errors: FileError, UnsupportedError, GraphError."""
    config = json_text.parse_object(_config_text(file), "model_config")
    keras = _major_version(file)
    backend = file.text(file.root, "backend")
    if backend not in BACKENDS:
        raise UnsupportedError(f"the backend must be tensorflow, jax or torch, not {show(backend)}")
    weights = file.member(file.root, "model_weights", "group model_weights")
    return to_graph(parse_model(config), WeightStore(file, weights), keras)


def _config_text(file: Hdf5File) -> str:
    """The text of model_config; raises the error that says why there is none."""
    text = file.text(file.root, "model_config")
    if text is not None:
        return text
    if file.has_attribute("nb_layers"):
        raise UnsupportedError("the file must be written by Keras 2 or 3, not in the unsupported legacy layout of Keras 0 and 1")
    if file.has_attribute("layer_names") or any(file.has(file.root, name) for name in WEIGHT_GROUPS):
        raise FileError("the file must hold the architecture (model_config), not weights only: save the whole model")
    raise FileError("the file must be a Keras model (HDF5 with model_config), not another kind of HDF5 file")


def _major_version(file: Hdf5File) -> int:
    """2 or 3; a file without a version is taken for Keras 2, which all files before 3 are."""
    version = file.text(file.root, "keras_version") or "2"
    if version[:2] not in ("2", "2.", "3", "3."):
        raise UnsupportedError(f"keras_version must be 2.x or 3.x, not {show(version)}")
    return int(version[0])
