"""A .hwq file gives back the same network, bit for bit, and a damaged one is refused in one line."""
import io
import json
import re
from fractions import Fraction

import h5py
import numpy as np
import pytest

from hwsim.errors import FileError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.store import is_network, open_net, save, to_bytes
from hwsim.graph.text import to_text

META = {"source": {"path": "net.h5", "sha256": "00", "parameters": 6}, "config": {"scale_policy": "calib"}, "calibration": {},
        "notes": ["π"]}


def network():
    one = np.array([1 << 40], np.int64)
    conv = Node.make("a/b c", "qconv2d", ("x",), codes=np.array([1, -4, 3, 0, 2, -1]).reshape(2, 1, 1, 1, 3), bias=one,
                     m_pos=one >> 30, m_neg=-one >> 30, shift=one >> 38, lo=-8, hi=7, padding="same", w_format="stlq",
                     w_bits=3, flags=np.ones((1, 1, 1, 1), bool))
    mean = Node.make("m", "qglobal_avg_pool", ("a/b c",), keepdims=False, ratio=(3**60, 2**70), mult_bits=16, lo=-8, hi=7)
    graph = Graph((Node.make("x", "input", shape=(None, None, 3)), conv, mean), ("x",), ("m",))
    word = IntFormat(4)
    scales = {"x": Fraction(1, 7), "a/b c": Fraction(3**40, 2**80), "m": Fraction(2)}
    return IntegerGraph(graph, dict.fromkeys(graph.by_name, word), scales,
                        Datapath(45, Overflow.SATURATE, Rounding.HALF_EVEN, tn=8), META)


@pytest.fixture
def stored(tmp_path):
    save(network(), tmp_path / "net.hwq")
    return tmp_path / "net.hwq"


def test_round_trip(stored):
    net, copy = network(), open_net(stored)
    assert to_text(copy.graph) == to_text(net.graph)
    assert (copy.formats, copy.scales, copy.datapath, copy.meta) == (net.formats, net.scales, net.datapath, net.meta)
    for one, other in zip(net.nodes, copy.nodes):
        assert dict(one.params).keys() == dict(other.params).keys()
        for key, value in one.params.items():
            assert np.array_equal(value, other.params[key])
            assert type(value) is type(other.params[key])
            assert getattr(value, "dtype", None) == getattr(other.params[key], "dtype", None)


def test_same_network_same_bytes(stored):
    assert to_bytes(open_net(stored)) == to_bytes(network()) == stored.read_bytes()


def test_is_network(stored, tmp_path):
    (tmp_path / "text").write_text("hello")
    with h5py.File(tmp_path / "other.h5", "w"):
        pass
    assert is_network(stored)
    assert not any(map(is_network, (tmp_path / "text", tmp_path / "other.h5", tmp_path / "missing", tmp_path)))


def test_nothing_is_written_where_it_cannot_be(tmp_path):
    folder = re.escape(str(tmp_path))
    with pytest.raises(FileError, match=f"^{folder}/no/net.hwq: must be writable, not missing$"):
        save(network(), tmp_path / "no" / "net.hwq")
    assert not list(tmp_path.iterdir())


def refused(path, message):
    with pytest.raises(FileError) as caught:
        open_net(path)
    assert str(caught.value) == f"{path}: {message}"


def test_missing_and_folder(tmp_path):
    refused(tmp_path / "none.hwq", "must be a .hwq file, not missing")
    refused(tmp_path, "must be a .hwq file, not a folder")


def rewritten(path, group, name, value):
    """The file with dataset `group`/`name` exchanged."""
    with h5py.File(path, "r+") as root:
        del root[f"{group}/{name}"]
        root[group].create_dataset(name, data=value)


def json_edited(path, group, name, **changes):
    with h5py.File(path) as root:
        value = json.loads(root[f"{group}/{name}"][()].tobytes()) | changes
    rewritten(path, group, name, np.frombuffer(json.dumps(value).encode(), np.uint8))


def test_foreign_schema(stored):
    with h5py.File(stored, "r+") as root:
        root.attrs["hwsim_hwq"] = 2
    refused(stored, "hwsim_hwq must be 1, not 2")
    with h5py.File(stored, "r+") as root:
        del root.attrs["hwsim_hwq"]
    refused(stored, "hwsim_hwq must be 1, not missing")


@pytest.mark.parametrize("group, name, changes, message", [
    ("nodes/00001", "node", {"op": "qconv3d"},
     "a/b c: operator must be one of the table, not 'qconv3d'"),
    ("nodes/00001", "node", {"scale": "1e999999999"}, "a scale must be written as numerator/denominator, not '1e999999999'"),
    ("nodes/00001", "node", {"scale": "0"}, "a/b c: a scale must be positive, not 0"),
    ("nodes/00001", "node", {"format": "i99"}, "integer width must be 1..63 bits, not 99"),
    ("nodes/00001", "node", {"inputs": ["y"]},
     "a/b c: an input must be an earlier node, not 'y'"),
    ("nodes/00002", "node", {"params": {}},
     "m: parameters of qglobal_avg_pool must be ['hi', 'keepdims', 'lo', 'mult_bits', 'ratio'], not []"),
    ("/", "network", {"meta": {}}, "meta must hold source as an object, not None"),
    ("/", "network", {"meta": {"source": {}}}, "meta must hold source.parameters as an integer, not None"),
    ("/", "network", {"meta": META | {"config": {}}}, "meta must hold config.scale_policy as a string, not None"),
    ("/", "network", {"meta": META | {"notes": "π"}}, "meta must hold notes as a list, not 'π'"),
    ("/", "network", {"datapath": {"acc_mode": "wrap", "rounding": "half-up", "acc_bits": 7}},
     "acc_bits must be 8..48, not 7"),
    ("/", "network", {"datapath": {"acc_mode": "bounce", "rounding": "half-up"}},
     "must be an undamaged .hwq file, not one with 'bounce' is not a valid overflow"),
])
def test_a_wrong_description(stored, group, name, changes, message):
    json_edited(stored, group, name, **changes)
    refused(stored, message)


def test_arrays_that_are_no_integers(stored):
    rewritten(stored, "nodes/00001", "bias", np.array([0.5]))
    refused(stored, "arrays must be integers or booleans, not float64")


def test_a_size_that_the_file_does_not_hold(stored):
    with h5py.File(stored, "r+") as root:
        del root["nodes/00001/bias"]
        root["nodes/00001"].create_dataset("bias", shape=(1 << 40,), dtype=np.int64)
    refused(stored, f"/nodes/00001/bias must store its {8 << 40} bytes plainly in the file, not 0")


def test_compressed_arrays_are_refused(stored):
    with h5py.File(stored, "r+") as root:
        del root["nodes/00001/bias"]
        root["nodes/00001"].create_dataset("bias", data=np.zeros(1000, np.int64), compression="gzip")
    with pytest.raises(FileError, match="/nodes/00001/bias must store its 8000 bytes plainly in the file, not "):
        open_net(stored)


def test_truncated_and_damaged_files_are_refused_in_one_line(stored, tmp_path):
    content = stored.read_bytes()
    rng = np.random.default_rng(0)
    for size in range(0, len(content), 997):
        (tmp_path / "cut.hwq").write_bytes(content[:size])
        with pytest.raises(FileError, match=r"^[^\n]*$"):
            open_net(tmp_path / "cut.hwq")
    for _ in range(100):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        (tmp_path / "bad.hwq").write_bytes(damaged)
        assert is_network(tmp_path / "bad.hwq") in (True, False)
        try:
            open_net(tmp_path / "bad.hwq")
        except FileError as error:
            assert "\n" not in str(error)


def test_the_file_is_plain_hdf5():
    with h5py.File(io.BytesIO(to_bytes(network()))) as root:
        assert root.attrs["hwsim_hwq"] == 1
        assert root["nodes/00001/codes"].dtype == np.int8
        assert json.loads(root["nodes/00001/node"][()].tobytes())["scale"] == f"{3**40}/{2**80}"
