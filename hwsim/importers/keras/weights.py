"""Which dataset is which weight: by position in weight_names, never by name.

A nested model is one group: the trainable weights of all its layers, then the others (the order in which Keras lists them);
a frozen layer or model puts all of its weights among the others.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np

from hwsim.errors import FileError
from hwsim.importers.hdf5_file import Hdf5File, show
from hwsim.importers.keras.layers.table import slots_of
from hwsim.importers.keras.model import Layer

# Endings of weight names that Keras itself writes: a position whose name says something else is a file gone wrong.
KNOWN = {"kernel", "bias", "depthwise_kernel", "pointwise_kernel", "gamma", "beta", "moving_mean", "moving_variance", "alpha",
         "mean", "variance", "count"}
ALSO = {"depthwise_kernel": {"kernel"}}


@dataclass(frozen=True)
class Slot:
    """One weight of one layer: `path` says which layer (outer model first)."""

    path: tuple[str, ...]
    name: str


class WeightStore:
    """The weights of a file; each dataset is read once, when its layer asks with the shape it must have."""

    def __init__(self, file: Hdf5File, group: h5py.Group) -> None:
        self._file = file
        self._group = group
        self._datasets: dict[Slot, tuple[h5py.Group, str]] = {}
        self._read: dict[Slot, np.ndarray] = {}

    def place(self, layer: Layer) -> None:
        """Finds the datasets of a layer of the outermost model. Errors: FileError where their number or names are wrong."""
        trained, others = split(layer, ())
        slots = trained + others
        if not slots:
            return
        group = self._file.member(self._group, layer.name, f"the weights of layer {show(layer.name)}")
        names = self._file.names(group, "weight_names")
        if len(names) != len(slots):
            expected = ", ".join(slot.name for slot in slots[:8])
            raise FileError(f"{layer.name}: {layer.kind} must have {len(slots)} weights ({expected}), not {len(names)}")
        for slot, name in zip(slots, names):
            _check_name(layer.name, slot, name)
            self._datasets[slot] = (group, name)

    def read(self, path: tuple[str, ...], name: str, shape: Sequence[int]) -> np.ndarray:
        """The float64 array of weight `name` of the layer at `path`. Errors: FileError unless it has `shape`."""
        slot = Slot(path, name)
        if slot not in self._read:
            group, stored = self._datasets[slot]
            title = f"{'/'.join(path)}: {name} (dataset {show(stored)})"
            self._read[slot] = self._file.array(self._file.member(group, stored, title), title, shape)
        return self._read[slot]


def split(layer: Layer, outer: tuple[str, ...]) -> tuple[list[Slot], list[Slot]]:
    """(trainable, other) Slots of a layer or of all layers of a nested model."""
    path = (*outer, layer.name)
    if layer.model is None:
        trained, others = ([Slot(path, name) for name in names] for names in slots_of(layer))
    else:
        parts = [split(inner, path) for inner in layer.model.layers.values()]
        trained = [slot for part in parts for slot in part[0]]
        others = [slot for part in parts for slot in part[1]]
    return (trained, others) if layer.trainable else ([], trained + others)


def _check_name(layer: str, slot: Slot, name: str) -> None:
    ending = name.split("/")[-1].split(":")[0]
    if ending in KNOWN and ending != slot.name and ending not in ALSO.get(slot.name, ()):
        raise FileError(f"{layer}: weight {show(name)} must be the {slot.name} of {'/'.join(slot.path)}, not its {ending}")
