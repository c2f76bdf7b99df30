"""Tensors may live elsewhere: an engine whose tensors refuse everything that numpy does runs networks end to end."""
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

import hwsim
from helpers.engine_nets import FAST, REFERENCE, array, as_plain, assert_same, codes_of, everything, fields, network, source
from helpers.random_graphs import random_network
from hwsim.engine.context import HostEngine, PreparedLayers
from hwsim.engine.protocol import Engine
from hwsim.engine.run import engine_named, place, run, steps_with_inputs
from hwsim.engine.watched import Watched
from hwsim.errors import OverflowFault
from hwsim.fixed.formats import Datapath, Overflow
from hwsim.graph import bands
from hwsim.graph.node import Node


class Remote:
    """A tensor in a memory that the host cannot read: a handle, and nested lists that only its own session touches."""

    __array_ufunc__ = None  # numpy refuses to calculate with it
    __slots__ = ("__weakref__", "_lists")

    def __init__(self, lists):
        self._lists = lists

    def _refuse(self, *_, **__):
        raise AssertionError("only the session may look into a tensor of its device")

    __array__ = __len__ = __getitem__ = __iter__ = __getattr__ = __add__ = __eq__ = _refuse
    __hash__ = object.__hash__


class RemoteRows:
    """How the device itself cuts and joins rows of its tensors."""

    def height(self, tensor):
        return np.array(tensor._lists).shape[1] if np.ndim(tensor._lists) == 4 else 1

    def cut(self, tensor, first, end):
        return Remote([image[first:end] for image in tensor._lists]) if np.ndim(tensor._lists) == 4 else tensor

    def join(self, tensors):
        return Remote([sum(parts, []) for parts in zip(*(tensor._lists for tensor in tensors))])

    def copy(self, tensor):
        return Remote(list(tensor._lists))


@dataclass
class RemoteSession:
    """The reference engine's arithmetic on Remote tensors; it counts what crosses the border."""

    job: object
    rows: object
    host: object
    crossings: list = field(default_factory=list)
    released: list = field(default_factory=list)

    def put(self, codes):
        self.crossings.append("put")
        return Remote(codes.tolist())

    def run(self, node, tensors):
        assert all(type(tensor) is Remote for tensor in tensors)
        y, stats = self.host.run(node, [np.array(tensor._lists, np.int32) for tensor in tensors])
        return Remote(y.tolist()), stats

    def get(self, tensor):
        self.crossings.append("get")
        return np.array(tensor._lists, np.int32)

    def release(self, node):
        self.released.append(node.name)


@dataclass
class RemoteEngine:
    rows: object = None
    name: str = "remote"
    sessions: list = field(default_factory=list)

    def prepare(self, job):
        self.sessions.append(RemoteSession(job, self.rows, REFERENCE.prepare(job)))
        return self.sessions[-1]


def small():
    """Branches, a join, a pool and a split average: x -> a -> b, a + b -> m -> g."""
    def conv(name, reads, **params):
        return Node.make(name, "qconv2d", (reads,), codes=codes_of(np.ones((2, 3, 3, 2))), padding=(1, 1, 1, 1),
                         **fields(2, shift=4, lo=-128, hi=127), **params)
    nodes = [source((7, 5, 2)), conv("a", "x"), conv("b", "a"),
             Node.make("s", "qadd", ("a", "b"), m=array(1, 2), shift=1, lo=-128, hi=127),
             Node.make("m", "max_pool", ("s",), kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0)),
             Node.make("g", "qglobal_avg_pool", ("m",), keepdims=False, ratio=(1, 1), mult_bits=16, lo=-128, hi=127)]
    return network(nodes, default="i8", outputs=("m", "g"))


X = np.arange(2 * 7 * 5 * 2).reshape(2, 7, 5, 2) % 61 - 30


@pytest.mark.parametrize("rows", [None, RemoteRows()], ids=["whole", "bands"])
@pytest.mark.parametrize("engine", [FAST, REFERENCE], ids=lambda e: e.name)
def test_the_public_run_on_tensors_that_are_not_arrays(rows, engine, monkeypatch):
    remote, net = RemoteEngine(rows), small()
    expected = hwsim.run(net, X, engine=engine, dump="a")
    monkeypatch.setattr(bands, "WHOLE_BYTES", 0)  # the network is too large to be whole, if its engine can cut rows
    monkeypatch.setattr(bands, "BAND_BYTES", 2 * 5 * 2 * 4)
    result = hwsim.run(net, X, engine=remote, dump="a")
    assert remote.sessions[0].crossings.count("put") == (1 if rows is None else 2 * 2)
    assert sorted(result.tensors) == ["a", "g", "m"]
    for name, codes in expected.tensors.items():
        np.testing.assert_array_equal(result[name], codes, err_msg=name)
        assert result[name].dtype == np.int32
    assert {name: as_plain(stats) for name, stats in result.stats.items()} == {
        name: as_plain(stats) for name, stats in expected.stats.items()}
    assert result.cycles == expected.cycles and result.overflow == expected.overflow


def test_only_what_is_asked_for_comes_back():
    remote = RemoteEngine()
    run(small(), {"x": X}, remote)
    assert remote.sessions[0].crossings == ["put", "get", "get"]


@pytest.mark.parametrize("step", [1, 2, 5])
def test_bands_are_cut_and_joined_by_the_session(step):
    net, remote = small(), RemoteEngine(RemoteRows())
    found = run(net, {"x": X}, remote, dump=("a", "s"), monitor=True, rows=step)
    assert remote.sessions[0].crossings.count("put") == 2 * -(-7 // step)
    expected = run(net, {"x": X}, REFERENCE, dump=("a", "s"), monitor=True)
    for name in expected.tensors:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_a_session_without_rows_runs_whole():
    remote, told = RemoteEngine(), []
    run(small(), {"x": X}, remote, rows=1, progress=lambda node, done, total: told.append((node.name, done, total)))
    assert told == [(name, i + 1, 6) for i, name in enumerate("xabsmg")]
    assert remote.sessions[0].crossings.count("put") == 1


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_random_networks(seed):
    net, inputs = random_network(seed)
    assert_same(everything(net, inputs, REFERENCE), everything(net, inputs, RemoteEngine()))


def test_error_mode_stops_a_device_too():
    net = replace(small(), datapath=Datapath(acc_bits=8, acc_mode=Overflow.ERROR))
    with pytest.raises(OverflowFault) as expected:
        run(net, {"x": X}, REFERENCE)
    for engine, step in ((RemoteEngine(), None), (RemoteEngine(RemoteRows()), 2)):
        with pytest.raises(OverflowFault) as caught:
            run(net, {"x": X}, engine, rows=step)
        assert caught.value.event == expected.value.event


def test_steps_with_inputs_hands_out_what_each_node_read():
    tensors = {}
    for node, reads, tensor, _ in steps_with_inputs(small(), {"x": X}, RemoteEngine()):
        tensors[node.name] = tensor
        for name, read in zip(node.inputs, reads, strict=True):
            np.testing.assert_array_equal(read, tensors[name])
    assert list(tensors) == list("xabsmg")


def test_what_is_an_engine():
    assert all(isinstance(engine, Engine) for engine in (FAST, REFERENCE, RemoteEngine(), Watched(FAST, None)))
    assert not any(isinstance(engine, Engine) for engine in ("fast", None, FAST.run_node))
    assert engine_named("fast") is FAST


def test_a_session_keeps_prepared_layers_of_its_own():
    prepared = PreparedLayers()
    assert [prepared.of(name, "", lambda i=i: i) for i, name in enumerate(("a", "a", "b"))] == [0, 0, 2]
    assert [prepared.of("ab", ".g0", lambda: 3), prepared.of("ab", ".g1", lambda: 4)] == [3, 4]
    prepared.release("ab")
    assert [prepared.of("ab", ".g0", lambda: 5), prepared.of("a", "", lambda: 6)] == [5, 0]
    seen = []

    def run_node(node, inputs, context):
        seen.append(context.prepared)
        return REFERENCE.run_node(node, inputs, context)
    engine = HostEngine("watched", run_node)
    for _ in range(2):
        run(small(), {"x": X}, engine, rows=3)
    assert len({id(prepared) for prepared in seen}) == 2 and None not in seen


@pytest.mark.parametrize("rows", [None, 3])
def test_a_node_is_released_once_after_the_last_band_of_the_last_image(rows):
    remote, net = RemoteEngine(RemoteRows()), small()
    bands_of = Counter()
    run(net, {"x": X}, remote, rows=rows, progress=lambda node, *_: bands_of.update(
        [node.name] if node.name not in remote.sessions[0].released[:-1] else ["late"]))
    placed = remote.sessions[0].job.graph
    assert sorted(remote.sessions[0].released) == sorted(node.name for node in placed.nodes)
    assert "late" not in bands_of and bands_of["a"] == (1 if rows is None else 2 * 3)


def test_a_watched_engine_is_entered_for_every_node():
    entered = []

    class Around:
        def __enter__(self):
            entered.append("in")

        def __exit__(self, *_):
            entered.append("out")
    result = run(small(), {"x": X}, Watched(FAST, Around))
    assert entered == ["in", "out"] * 6  # five nodes, of which placing splits the average in two
    np.testing.assert_array_equal(result["m"], run(small(), {"x": X}, FAST)["m"])
    assert place(small(), {"x": X}, Watched(FAST, Around)).session.rows is FAST.rows
