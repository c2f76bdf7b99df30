"""Which input rows an output row needs, operator by operator, by literal values; and how many rows some inputs allow."""
import numpy as np
import pytest

from hwsim.graph.bands import HeldRows, rows_per_step
from hwsim.graph.node import Graph, Node
from hwsim.graph.rows import RULES, WHOLE, height, needs, on_rows, reachable, unit
from hwsim.graph.shapes import infer
from hwsim.ops.table import OPS

ALL = {"reshape", "flatten", "global_avg_pool", "global_max_pool", "qglobal_avg_pool"}


def placed(op, size, params, count=1):
    """(node, shapes) of one node that reads `count` images of `size` rows, 4 columns and 4 channels."""
    names = [f"x{i}" for i in range(count)]
    node = Node.make("y", op, names, **params)
    sources = [Node.make(name, "input", shape=(size, 4, 4), index=i) for i, name in enumerate(names)]
    graph = Graph((*sources, node), tuple(names), ("y",))
    return node, infer(graph, {name: (1, size, 4, 4) for name in names})


def conv(kernel, **params):
    return {"weights": np.zeros((1, kernel, 1, 4)), "bias": np.zeros(1), **params}


CASES = [
    # op, rows, params, output rows, input rows, parameters of the nodes that compute them
    ("conv2d", 10, conv(3, padding="same"), (0, 4), (0, 5), {"padding": (1, 0, 0, 0)}),
    ("conv2d", 10, conv(3, padding="same"), (4, 7), (3, 8), {"padding": (0, 0, 0, 0)}),
    ("conv2d", 10, conv(3, padding="same"), (7, 10), (6, 10), {"padding": (0, 1, 0, 0)}),
    ("conv2d", 10, conv(3, padding="same", stride=(2, 1)), (0, 2), (0, 5), {"padding": (0, 0, 0, 0)}),
    ("conv2d", 10, conv(3, padding="same", stride=(2, 1)), (3, 5), (6, 10), {"padding": (0, 1, 0, 0)}),
    ("conv2d", 11, conv(3, padding="same", stride=(2, 1)), (0, 2), (0, 4), {"padding": (1, 0, 0, 0)}),
    ("conv2d", 10, conv(3, padding="same", dilation=(2, 1)), (1, 3), (0, 5), {"padding": (1, 0, 0, 0)}),
    ("conv2d", 3, conv(1, padding=(2, 2, 0, 0)), (0, 2), (0, 1), {"padding": (2, -1, 0, 0)}),
    ("conv2d", 3, conv(1, padding=(2, 2, 0, 0)), (6, 7), (2, 3), {"padding": (-2, 2, 0, 0)}),
    ("max_pool", 9, {"kernel": (3, 1), "stride": (2, 1), "padding": "same"}, (1, 3), (1, 6), {"padding": (0, 0, 0, 0)}),
    ("conv2d_transpose", 5, conv(4, stride=(2, 1), crop=(1, 1, 0, 0)), (0, 2), (0, 2), {"crop": (1, 3, 0, 0)}),
    ("conv2d_transpose", 5, conv(4, stride=(2, 1), crop=(1, 1, 0, 0)), (4, 10), (1, 5), {"crop": (3, 1, 0, 0)}),
    ("conv2d_transpose", 5, conv(1, stride=(3, 1), crop=(0, -2, 0, 0)), (3, 6), (1, 2), {"crop": (0, -2, 0, 0)}),
    ("upsample_nearest", 5, {"factor": (3, 1)}, (3, 9), (1, 3), {"factor": (3, 1)}),
    ("bilinear", 5, {"factor": (2, 1)}, (2, 4), (0, 3), {"crop": (2, 2, 0, 0)}),
    ("bilinear", 5, {"factor": (2, 1)}, (0, 4), (0, 3), {"crop": (0, 2, 0, 0)}),
    ("bilinear", 5, {"factor": (2, 1)}, (0, 10), (0, 5), {"factor": (2, 1)}),
    ("depth_to_space", 5, {"block": 2}, (2, 6), (1, 3), {"block": 2, "order": "DCR"}),
    ("space_to_depth", 6, {"block": 2}, (1, 3), (2, 6), {"block": 2}),
    ("pad", 3, {"pad": (2, 3, 0, 1)}, (1, 4), (0, 2), {"pad": (1, 0, 0, 1)}),
    ("pad", 3, {"pad": (2, 3, 0, 1)}, (0, 1), (0, 1), {"crop": (0, 2, 0, 0)}),
    ("crop", 9, {"crop": (2, 3, 0, 1)}, (1, 3), (3, 5), {"crop": (0, 0, 0, 1)}),
    ("slice", 9, {"axis": 1, "start": 4, "stop": 8}, (1, 3), (5, 7), {"start": 0, "stop": 2}),
    ("slice", 9, {"axis": 3, "start": 1, "stop": 3}, (1, 3), (1, 3), {"start": 1, "stop": 3}),
    ("relu", 9, {}, (1, 3), (1, 3), {}),
    ("reshape", 9, {"shape": (3, 12, 4)}, (0, 3), (0, 9), {"shape": (3, 12, 4)}),
    ("global_max_pool", 9, {"keepdims": True}, (0, 1), (0, 9), {}),
]


@pytest.mark.parametrize("op, size, params, rows, wanted, made", CASES)
def test_needs(op, size, params, rows, wanted, made):
    node, shapes = placed(op, size, params)
    assert needs(node, shapes, *rows) == (wanted,)
    assert rows[0] % unit(node, shapes) == 0
    last = on_rows(node, shapes, *rows)[-1]
    assert {name: last.params[name] for name in made} == made


@pytest.mark.parametrize("op, size, params", [case[:3] for case in CASES])
def test_reachable_is_the_largest_count_whose_needs_are_there(op, size, params):
    node, shapes = placed(op, size, params)
    total, step = height(shapes["y"]), unit(node, shapes)
    counts = [min(n * step, total) for n in range(-(-total // step) + 1)]
    for have in range(size + 1):
        assert reachable(node, shapes, [have]) == max(n for n in counts if n == 0 or needs(node, shapes, 0, n)[0][1] <= have)


def test_joined_tensors_need_the_same_rows_and_broadcast_ones_their_only_row():
    node = Node.make("y", "add", ("a", "b"))
    shapes = {"a": (1, 8, 4, 2), "b": (1, 1, 1, 2), "y": (1, 8, 4, 2)}
    assert needs(node, shapes, 3, 5) == ((3, 5), (0, 1))
    assert reachable(node, shapes, [5, 0]) == 0 and reachable(node, shapes, [5, 1]) == 5


def test_slopes_over_pixels_lose_the_other_rows():
    node, shapes = placed("prelu", 6, {"alpha": np.arange(96.0).reshape(6, 4, 4)})
    assert on_rows(node, shapes, 2, 4)[0].params["alpha"].ravel().tolist() == list(range(32, 64))


def test_a_concatenation_of_rows_needs_everything():
    node, shapes = placed("concat", 6, {"axis": 1}, count=2)
    assert unit(node, shapes) == 12 and needs(node, shapes, 0, 12) == ((0, 6), (0, 6))


def test_every_operator_has_a_rule_or_needs_everything():
    assert set(RULES) == set(OPS) and ALL == {name for name, rule in RULES.items() if rule is WHOLE}


def test_held_rows():
    window, tensor = HeldRows(), np.arange(40).reshape(1, 10, 2, 2)
    for lo, hi in ((0, 4), (4, 6), (6, 10)):
        window.add(tensor[:, lo:hi])
    window.forget(3)
    assert window.parts[0].base is None                                       # a copy: the band can go
    np.testing.assert_array_equal(window.rows(3, 7), tensor[:, 3:7])
    assert window.rows(4, 6).base is not None and window.rows(3, 7).flags.c_contiguous
    window.forget(6)
    assert (window.first, len(window.parts)) == (6, 1)


def test_rows_per_step_grow_with_the_budget():
    nodes = (Node.make("x", "input", shape=(None, None, 1)), Node.make("y", "conv2d", ("x",), **conv(3) | {
        "weights": np.zeros((64, 3, 3, 1)), "bias": np.zeros(64)}))
    graph = Graph(nodes, ("x",), ("y",))
    small, large = (infer(graph, {"x": (1, size, 2000, 1)}) for size in (100, 1500))
    assert rows_per_step(graph, small, 4) is None
    assert rows_per_step(graph, large, 4) == (1 << 24) // (2000 * 64 * 4)
