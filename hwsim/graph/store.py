"""The .hwq file: an integer network as one HDF5 file, described in docs/hwq.md. The same network gives the same bytes."""
import io
import json
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hwsim import files
from hwsim.errors import FileError, HwsimError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.integer import IntegerGraph, check_network
from hwsim.graph.node import Graph, Node
from hwsim.ops.table import OPS

MARK = "hwsim_hwq"
SCHEMA = 1
RATIO = re.compile(r"[0-9]{1,4000}(/[0-9]{1,4000})?")
META = {"source": dict, "source.parameters": int, "config": dict, "config.scale_policy": str, "calibration": dict, "notes": list}
KINDS = {dict: "an object", int: "an integer", str: "a string", list: "a list"}
WIDTHS = (np.int8, np.int16, np.int32, np.int64)


def save(net: IntegerGraph, path: str | os.PathLike[str]) -> None:
    """Writes `net` to `path`, whole or not at all. Errors: FileError."""
    with files.whole(path) as file:
        file.write(to_bytes(net))


def to_bytes(net: IntegerGraph) -> bytes:
    """The bytes of the .hwq file of `net`."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as root:
        root.attrs[MARK] = SCHEMA
        _write_json(root, "network", {"inputs": net.inputs, "outputs": net.outputs, "datapath": net.datapath.as_json(),
                                      "meta": net.meta})
        nodes = root.create_group("nodes")
        for index, node in enumerate(net.nodes):
            _write_node(nodes.create_group(f"{index:05d}"), node, net)
    return memory.getvalue()


def _write_node(group: Any, node: Node, net: IntegerGraph) -> None:
    plain = {key: value for key, value in node.params.items() if not isinstance(value, np.ndarray)}
    _write_json(group, "node", {"name": node.name, "op": node.op, "inputs": node.inputs, "params": plain,
                                "format": str(net.formats[node.name]), "scale": str(net.scales[node.name])})
    for key in sorted(set(node.params) - set(plain)):
        group.create_dataset(key, data=_narrowest(node.params[key]), track_times=False)


def _write_json(group: Any, name: str, value: object) -> None:
    text = json.dumps(value, sort_keys=True, allow_nan=False)
    group.create_dataset(name, data=np.frombuffer(text.encode(), np.uint8), track_times=False)


def _narrowest(array: np.ndarray) -> np.ndarray:
    """An integer array in the narrowest type that holds it; reading widens it again."""
    if array.dtype != np.int64:
        return array
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    return array.astype(next(t for t in WIDTHS if np.iinfo(t).min <= low and high <= np.iinfo(t).max))


def is_network(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is an HDF5 file that says it is a .hwq network; a missing, foreign or damaged file is not one."""
    try:
        with h5py.File(path, "r") as root:
            return MARK in root.attrs
    except (OSError, RuntimeError, KeyError):
        return False


def open_net(path: str | os.PathLike[str]) -> IntegerGraph:
    """The IntegerGraph in the .hwq file `path`, checked like any other. Errors: FileError."""
    if not Path(path).is_file():
        raise FileError(f"{path}: must be a .hwq file, not {'a folder' if Path(path).is_dir() else 'missing'}")
    try:
        with h5py.File(path, "r") as root:
            return _read_network(root, Path(path).stat().st_size)
    except HwsimError as error:
        raise FileError(f"{path}: {error}") from error
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        raise FileError(f"{path}: must be an undamaged .hwq file, not one with {files.reason(error)}") from error


def _read_network(root: Any, file_size: int) -> IntegerGraph:
    schema = root.attrs.get(MARK)
    if not isinstance(schema, np.integer) or int(schema) != SCHEMA:
        raise FileError(f"{MARK} must be {SCHEMA}, not {'missing' if schema is None else schema}")
    head = _read_json(root, "network", file_size)
    nodes, formats, scales = [], {}, {}
    for index in range(len(root["nodes"])):
        node, word, scale = _read_node(root["nodes"][f"{index:05d}"], file_size)
        nodes.append(node)
        formats[node.name], scales[node.name] = word, scale
    graph = Graph(tuple(nodes), tuple(head["inputs"]), tuple(head["outputs"]))
    datapath = Datapath.from_json(head["datapath"])
    return check_network(IntegerGraph(graph=graph, formats=formats, scales=scales, datapath=datapath,
                                      meta=_checked_meta(head["meta"])))


def _read_node(group: Any, file_size: int) -> tuple[Node, IntFormat, Fraction]:
    head = _read_json(group, "node", file_size)
    params = {key: _plain(value) for key, value in head["params"].items()}
    arrays = {key: _widened(_read_array(group, key, file_size)) for key in group if key != "node"}
    if head["op"] in OPS and set(params | arrays) != set(OPS[head["op"]].params):
        raise FileError(f"{head['name']}: parameters of {head['op']} must be {sorted(OPS[head['op']].params)}, "
                        f"not {sorted(params | arrays)}")
    node = Node.make(head["name"], head["op"], head["inputs"], **params, **arrays)
    return node, IntFormat.parse(head["format"]), _ratio(head["scale"])


def _ratio(text: str) -> Fraction:
    if not RATIO.fullmatch(text):
        raise FileError(f"a scale must be written as numerator/denominator, not {text[:40]!r}")
    return Fraction(text)


def _checked_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """`meta`; raises FileError unless it has what reports and runs read of every network."""
    for place, kind in META.items():
        value: Any = meta
        for key in place.split("."):
            value = value.get(key)
        if type(value) is not kind:
            raise FileError(f"meta must hold {place} as {KINDS[kind]}, not {value!r}")
    return meta


def _plain(value: Any) -> Any:
    """A JSON value as a parameter: lists were tuples."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value


def _widened(array: np.ndarray) -> np.ndarray:
    if array.dtype not in (np.bool_, *WIDTHS):
        raise FileError(f"arrays must be integers or booleans, not {array.dtype}")
    return array if array.dtype == np.bool_ else array.astype(np.int64)


def _read_json(group: Any, name: str, file_size: int) -> dict[str, Any]:
    array = _read_array(group, name, file_size)
    if array.dtype != np.uint8 or array.ndim != 1:
        raise FileError(f"{group.name}/{name} must be JSON text as bytes, not {array.dtype} of rank {array.ndim}")
    value = json.loads(array.tobytes().decode())
    if not isinstance(value, dict):
        raise FileError(f"{group.name}/{name} must be a JSON object, not {type(value).__name__}")
    return value


def _read_array(group: Any, name: str, file_size: int) -> Any:
    """A dataset's values. Only plain storage that really holds the bytes it declares is read: no filters, nothing external."""
    data = group[name]
    if not isinstance(data, h5py.Dataset):
        raise FileError(f"{group.name}/{name} must be a dataset, not a {type(data).__name__.lower()}")
    declared = data.size * data.dtype.itemsize if data.shape is not None else -1
    stored = data.id.get_storage_size()
    if data.external or data.is_virtual or data.chunks or declared != stored or declared > file_size:
        raise FileError(f"{group.name}/{name} must store its {declared} bytes plainly in the file, not {stored}")
    return data[()]
