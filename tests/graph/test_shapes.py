import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.graph.node import Graph, Node
from hwsim.graph.place_sizes import place_sizes
from hwsim.graph.shapes import free, infer
from hwsim.graph.text import to_text
from hwsim.ops.dims import show
from hwsim.ops.window import pads


def conv(name, source, oc, ic, stride=(1, 1), padding="same", kernel=(3, 3)):
    return Node.make(name, "conv2d", (source,), weights=np.ones((oc, *kernel, ic)), bias=np.zeros(oc), stride=stride,
                     padding=padding)


def unet(shape=(None, None, 1)):
    nodes = (Node.make("x", "input", shape=shape), conv("down", "x", 8, 1, (2, 2)), conv("mid", "down", 16, 8),
             Node.make("up", "depth_to_space", ("mid",), block=2), Node.make("cat", "concat", ("x", "up"), axis=3),
             conv("out", "cat", 3, 5, padding=(0, 0, 0, 0)))
    return Graph(nodes, ("x",), ("out",))


def test_symbols():
    shapes = {name: show(shape) for name, shape in infer(unet()).items()}
    assert shapes == {"x": "NxHxWx1", "down": "Nx(H+1)//2x(W+1)//2x8", "mid": "Nx(H+1)//2x(W+1)//2x16",
                      "up": "Nx2*(H+1)//2x2*(W+1)//2x4", "cat": "NxHxWx5", "out": "NxH-2xW-2x3"}


def test_concrete_and_symbolic_agree():
    symbolic = infer(unet())
    for n, h, w in ((1, 4, 6), (2, 16, 18), (3, 5, 4)):
        sizes, given = {"N": n, "H": h, "W": w}, {"x": (n, h, w, 1)}
        if h % 2:
            with pytest.raises(GraphError, match=r"^cat: concatenated shapes must agree off axis 3, not 3x5x4x1 and 3x6x4x4$"):
                infer(unet(), given)
        else:
            expected = {name: tuple(s if isinstance(s, int) else s.at(sizes) for s in shape) for name, shape in symbolic.items()}
            assert infer(unet(), given) == expected


def test_a_declared_size_holds_until_freed():
    declared = unet((8, 8, 1))
    assert infer(declared)["out"][1:] == (6, 6, 3)
    with pytest.raises(GraphError, match=r"^x: input shape must be Nx8x8x1, not 1x10x8x1$"):
        infer(declared, {"x": (1, 10, 8, 1)})
    assert infer(free(declared), {"x": (1, 10, 8, 1)})["out"] == (1, 8, 6, 3)


@pytest.mark.parametrize("size, kernel, stride, dilation, expected", [
    (5, 3, 1, 1, (1, 1)), (5, 3, 2, 1, (1, 1)), (6, 3, 2, 1, (0, 1)), (7, 2, 1, 1, (0, 1)), (9, 3, 3, 1, (0, 0)),
    (10, 3, 3, 1, (1, 1)), (5, 3, 1, 2, (2, 2)), (4, 1, 2, 1, (0, 0)), (8, 4, 2, 1, (1, 1)), (7, 4, 2, 1, (1, 2))])
def test_same_padding_puts_the_odd_one_after(size, kernel, stride, dilation, expected):
    found = pads((1, size, size, 1), (kernel, kernel), (stride, stride), (dilation, dilation), "same")
    assert found == expected * 2


def test_global_average_is_placed():
    def net(keepdims):
        mean = Node.make("m", "qglobal_avg_pool", ("x",), keepdims=keepdims, ratio=(1, 1), mult_bits=16, lo=-8, hi=7)
        return Graph((Node.make("x", "input", shape=(None, None, 4)), mean), ("x",), ("m",))
    for keepdims, shape in ((True, (2, 1, 1, 4)), (False, (2, 4))):
        given = {"x": (2, 3, 5, 4)}
        placed = place_sizes(net(keepdims), infer(net(keepdims), given))
        assert infer(placed, given)["m"] == shape
        pool = placed.nodes[1]
        assert (pool.op, pool.params["kernel"], pool.params["taps"].tolist()) == ("qavg_pool", (3, 5), [15])
        assert (pool.params["m"].tolist(), pool.params["shift"].tolist()) == ([34953], [19])  # round(2^19 / 15)


def test_text_is_stable():
    assert to_text(unet()) == to_text(unet())
    lines = to_text(unet()).splitlines()
    assert lines[0] == "x = input() {index=0, shape=(None, None, 1)} -> NxHxWx1"
    assert lines[3] == "up = depth_to_space(mid) {block=2, order='DCR'} -> Nx2*(H+1)//2x2*(W+1)//2x4"
    assert lines[-1] == "outputs: out"
