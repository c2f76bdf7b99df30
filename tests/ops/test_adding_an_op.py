"""The worked example of docs/adding-an-op.md, run from the page itself: an operator in every table, the same codes everywhere."""
import re
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from test_tables import tables

from hwsim.engine.context import HostEngine
from hwsim.engine.fast import backend
from hwsim.engine.fast.table import run_node
from hwsim.engine.run import run, steps
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.store import open_net, save
from hwsim.hw.accumulator.reach import reachable
from hwsim.hw.config import Device
from hwsim.hw.costs.network_cycles import network_cycles
from hwsim.ops.table import OPS
from hwsim.quantization.calibrate import calibrate
from hwsim.quantization.config import Config
from hwsim.quantization.convert import quantize

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-an-op.md"
ENGINES = ("reference", "fast", *(HostEngine(name, partial(run_node, backend=loops))
                                  for name, loops in (("compiled", backend.COMPILED), ("numpy", backend.INTERPRETED))))


@pytest.fixture
def page():
    """The page's code run block by block; its entries are taken out of all tables afterwards."""
    registries = [OPS, *(table for table, _ in tables().values())]
    before = [dict(table) for table in registries]
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
        exec(compile(block, str(PAGE), "exec"), names)
    yield names
    for table, entries in zip(registries, before):
        table.clear()
        table.update(entries)


def alone(shape):
    """The integer network of one qmagnitude on 11-bit codes."""
    nodes = (Node.make("x", "input", shape=shape), Node.make("y", "qmagnitude", ("x",), lo=-1024, hi=1023))
    words = dict.fromkeys(("x", "y"), IntFormat(11))
    return IntegerGraph(Graph(nodes, ("x",), ("y",)), words, dict.fromkeys(words, Fraction(1)), Datapath(), {})


def test_no_table_is_left_out(page):
    for room, (table, needed) in tables().items():
        assert set(table) == set(needed), room


def test_the_page_names_every_table():
    text = PAGE.read_text()
    for room in tables():
        assert room.rsplit("/", 1)[-1] in text


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: getattr(engine, "name", engine))
def test_its_codes(page, engine):
    x = np.array([-1024, -1023, -1, 0, 1, 1023], np.int32).reshape(1, 2, 1, 3)
    (_, y, stats), = [step for step in steps(alone((2, 1, 3)), {"x": x}, engine, monitor=True) if step[0].name == "y"]
    assert y.ravel().tolist() == [1023, 1023, 1, 0, 1, 1023]
    assert stats.clamped == 1


def test_the_widest_word(page):
    net = alone((1, 1, 1))
    net = IntegerGraph(net.graph.replaced({"y": net.graph["y"].but(lo=0, hi=(1 << 31) - 1)}),
                       dict.fromkeys(("x", "y"), IntFormat(32)), net.scales, net.datapath, {})
    x = np.array([[[[-(1 << 31)]]]])
    assert [int(run(net, {"x": x}, engine)["y"][0, 0, 0, 0]) for engine in ENGINES] == [(1 << 31) - 1] * 4


def test_a_network_with_it(page, tmp_path):
    """Quantized from floats, stored, and run whole and in bands of rows: equal in all engines."""
    rng = np.random.default_rng(1)
    layers = [Node.make(name, "conv2d", (source,), weights=rng.normal(size=(oc, 3, 3, ic)), bias=rng.normal(size=oc),
                        padding="same")
              for name, source, oc, ic in (("a", "x", 4, 3), ("b", "m", 2, 4))]
    graph = Graph((Node.make("x", "input", shape=(None, None, 3)), layers[0], Node.make("m", "magnitude", ("a",)), layers[1]),
                  ("x",), ("b",))
    given = {"x": rng.normal(size=(4, 6, 5, 3))}
    net = quantize(graph, calibrate(graph, [given], Config()), Config())
    assert net.scales["m"] == net.scales["a"] and net.graph["m"].op == "qmagnitude"
    save(net, tmp_path / "net.hwq")
    net = open_net(tmp_path / "net.hwq")
    codes = {"x": np.clip(np.rint(given["x"] / float(net.scales["x"])), -1024, 1023).astype(np.int32)}
    expected = run(net, codes, "reference", dump=("m",))
    assert (expected["m"] >= 0).all() and expected["m"].any()
    for engine in ENGINES[1:]:
        for rows in (None, 1, 2):
            result = run(net, codes, engine, dump=("m",), rows=rows)
            for name in ("m", "b"):
                np.testing.assert_array_equal(result[name], expected[name])


def test_its_cycles_and_its_range(page):
    net = alone((6, 5, 20))
    layer, = network_cycles(net, {"x": (1, 6, 5, 20)}, Device()).layers
    assert (layer.unit, layer.cycles, layer.advice) == ("vector", 6 * 5 * 2, "")
    ranges, _ = reachable(net.graph, net.formats, {name: (1, 6, 5, 20) for name in "xy"}, net.datapath)
    assert {(int(lo), int(hi)) for lo, hi in zip(*ranges["y"])} == {(0, 1023)}


def test_nothing_stays():
    assert "magnitude" not in OPS and not any("qmagnitude" in table for table, _ in tables().values())
