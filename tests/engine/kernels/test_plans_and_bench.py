"""The plan of every layer of a network, and the bench's rows."""
import numpy as np
import pytest

from helpers.kernel_layers import plain_layer
from hwsim.bench import vector
from hwsim.bench.layers import Shape, layer_of
from hwsim.bench.measure import measure
from hwsim.bench.peers import PeerRate
from hwsim.engine.fast.layer_plans import layer_plans
from hwsim.engine.kernels import limit
from hwsim.engine.kernels.target import ladder
from hwsim.engine.kernels.variant import Form
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.reports import bench


def test_layer_plans_names_every_array_layer():
    first, x = plain_layer(4, 6, (3, 3), (5, 7))
    second, _ = plain_layer(4, 2, (3, 3), (5, 7), groups=2)
    graph = Graph((Node.make("x", "input", shape=x.shape[1:]), first, second.but(name="grouped", inputs=("layer",))),
                  ("x",), ("grouped",))
    net = IntegerGraph(graph, dict.fromkeys(("x", "layer", "grouped"), IntFormat(11)), {}, Datapath(), {})
    found = layer_plans(net, {"x": x.shape})
    assert [name for name, _ in found] == ["layer", "grouped.g0", "grouped.g1"]
    assert {str(plan).split()[0] for _, plan in found} <= {"dot16", "portable"}


@pytest.mark.skipif(not ladder(), reason="needs x86-64")
def test_bench_rows():
    shapes = Shape(16, 16, 24, 3), Shape(0, 16, 24, 3)
    report = bench.report(measure(shapes, ("plain", "monitor"), 1, vector.CASES[-1:]))
    assert [(row["layer"], row["mode"]) for row in report["rows"]] == [
        ("16->16 3x3, 24x24", "plain"), ("16->16 3x3, 24x24", "monitor"),
        ("depthwise 16 3x3, 24x24", "plain"), ("depthwise 16 3x3, 24x24", "monitor")]
    assert all(row[key] > 0 for row in report["rows"] for key in ("kernel_gmacs", "limit_gmacs", "of_limit", "layer_gmacs"))
    assert report["threads"]["layer"] == "16->16 3x3, 24x24" and report["threads"]["speedup"] > 0
    assert [row["op"] for row in report["vector"]] == ["slice"] and report["vector"][0]["of_copy"] > 0
    assert len(list(bench.text(report))) == 3 + bool(report["peers"])


def test_peers_stand_beside_the_rate_of_their_width():
    shape, absent = Shape(4, 4, 8, 3), Shape(8, 8, 8, 3)
    rows = [{"layer": str(shape), "mode": mode, "layer_gmacs": rate} for mode, rate in (("plain", 60.0), ("8 bit", 90.0))]
    peers = PeerRate(shape, "other int8", 30.0), PeerRate(shape, "other int16x8", 30.0), PeerRate(absent, "other int8", 30.0)
    assert [row["ratio"] for row in bench._peers(rows, peers)] == [3.0, 2.0, None]


def test_the_plot_is_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    row = {"layer": "a", "mode": "plain", "kernel_gmacs": 2.0, "limit_gmacs": 3.0, "layer_gmacs": 1.0}
    bench.plot({"rows": [row], "machine": {"cpu": "x86_64", "rungs": ["avx2"]}}, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not ladder(), reason="needs x86-64")
@pytest.mark.parametrize("rung", ladder(), ids=lambda rung: rung.name)
def test_the_limit_does_what_it_counts(rung):
    """On operands of all zeros the sum of a probe is the sum of its first accumulators' lane 0: 0 + 1 + ... + 11."""
    assert limit.probe(rung, Form.PAIR)(3) == 66
    assert limit.macs(rung, Form.PAIR, 3) == 3 * 12 * 8 * rung.lanes * 2


def test_shapes_name_themselves():
    assert str(Shape(64, 32, 256, 3)) == "64->32 3x3, 256x256"
    assert Shape(0, 8, 10, 3).macs == 8 * 100 * 9
    assert layer_of(Shape(0, 8, 10, 3), 11, 8).weights.codes.dtype == np.int64
