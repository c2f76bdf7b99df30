"""A Keras checkpoint in one HDF5 file: its float Graph, and what it says of its sensor (attribute `hwsim`)."""
from pathlib import Path

from hwsim.errors import FileError
from hwsim.graph.node import Graph
from hwsim.importers import hdf5_file, json_text
from hwsim.importers.global_heap import check_heaps
from hwsim.importers.keras import h5

QUANTIZED = "hwsim_hwq"


def read(path: str | Path) -> Graph:
    """The float Graph of the checkpoint at `path`. Errors: FileError, GraphError, UnsupportedError, without the path."""
    check_heaps(path)
    with hdf5_file.opened(path) as file:
        if file.has_attribute(QUANTIZED):
            raise FileError("the model must be a float checkpoint, not a quantized network (.hwq)")
        return h5.read(file)


def sensor(path: str | Path) -> dict[str, object]:
    """{cfa, input_bits} as far as the checkpoint says; a value out of its range is a FileError."""
    check_heaps(path)
    with hdf5_file.opened(path) as file:
        text = file.text(file.root, "hwsim")
    values = json_text.parse_object(text, "attribute hwsim") if text is not None else {}
    cfa, bits = values.get("cfa"), values.get("input_bits")
    if cfa is not None and not (isinstance(cfa, str) and cfa.isalnum() and len(cfa) <= 16):
        raise FileError(f"cfa in attribute hwsim must be the name of a pattern, not {hdf5_file.show(cfa)}")
    if bits is not None and (type(bits) is not int or not 1 <= bits <= 15):
        raise FileError(f"input_bits in attribute hwsim must be 1..15, not {hdf5_file.show(bits)}")
    return {key: value for key, value in (("cfa", cfa), ("input_bits", bits)) if value is not None}
