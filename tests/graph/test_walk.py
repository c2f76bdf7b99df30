"""The one walk: every node in graph order, every tensor let go after its last reader, whatever a tensor is."""
import weakref

import numpy as np
import pytest

from hwsim.graph.bands import ArrayRows, HeldRows, computed, gathered
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.graph.walk import last_read, most_alive, walk


def node(name, op="identity", *reads, **params):
    return Node.make(name, op, reads, **params)


def diamond():
    """x is read by a and by d, far behind; b twice by c; u by nobody."""
    nodes = (node("x", "input", shape=(4, 2, 1)), node("a", "identity", "x"), node("b", "identity", "a"),
             node("u", "identity", "a"), node("c", "multiply", "b", "b"), node("d", "add", "c", "x"))
    return Graph(nodes, ("x",), ("d",))


class Thing:
    """A tensor that knows nothing but its name."""

    def __init__(self, name):
        self.name = name


def test_a_tensor_is_let_go_after_its_last_reader():
    made, seen = {}, []

    def compute(node, tensors):
        assert [tensor.name for tensor in tensors] == list(node.inputs)
        thing = Thing(node.name)
        made[node.name] = weakref.ref(thing)
        return thing, f"note of {node.name}"

    for here, thing, note in walk(diamond(), compute):
        assert (thing.name, note) == (here.name, f"note of {here.name}")
        del thing
        seen.append((here.name, "".join(sorted(name for name, ref in made.items() if ref() is not None))))
    # what is yielded is there; a goes with u, its last reader, although b read it before; an unread u goes at once
    assert seen == [("x", "x"), ("a", "ax"), ("b", "abx"), ("u", "bux"), ("c", "cx"), ("d", "d")]
    assert all(ref() is None for ref in made.values())


def test_nothing_is_alive_while_the_next_node_is_computed_but_what_is_read_again():
    made, alive = {}, {}

    def compute(node, tensors):
        alive[node.name] = "".join(sorted(name for name, ref in made.items() if ref() is not None))
        thing = Thing(node.name)
        made[node.name] = weakref.ref(thing)
        return thing, None

    for _ in walk(diamond(), compute):
        del _
    assert alive == {"x": "", "a": "x", "b": "ax", "u": "abx", "c": "bx", "d": "cx"}


def test_last_readers():
    assert last_read(diamond()) == {"x": [], "a": [], "b": [], "u": ["a", "u"], "c": ["b"], "d": ["x", "c", "d"]}


def test_most_alive():
    """At b: x, a and b; at u: x, a, b and u."""
    assert most_alive(diamond(), {"x": 1, "a": 10, "b": 100, "u": 1000, "c": 10000, "d": 1}) == 1 + 100 + 10000
    assert most_alive(diamond(), {"x": 1, "a": 10, "b": 100, "u": 1000, "c": 1, "d": 1}) == 1111


@pytest.mark.parametrize("step", [None, 1, 3])
def test_whole_or_in_bands_the_tensors_are_the_same(step):
    graph, x = diamond(), np.arange(16).reshape(2, 4, 2, 1)
    functions = {"identity": lambda a: a + 1, "multiply": lambda a, b: a * b, "add": lambda a, b: a + b}

    def compute(node, chain, tensors):
        assert [part.op for part in chain] == [node.op]
        return (tensors[0] if node.op == "input" else functions[node.op](*tensors)), node.op

    shapes, found = infer(graph, {"x": x.shape}), {}
    for band in computed(graph, shapes, {"x": x}, compute, step):
        assert band.note == band.node.op
        found[band.node.name] = gathered(found.get(band.node.name), band, x.shape, np.int64)
    np.testing.assert_array_equal(found["d"], (x + 2) ** 2 + x)
    np.testing.assert_array_equal(found["u"], x + 2)


def test_rows_are_held_in_the_memory_that_is_given():
    class Counting(ArrayRows):
        joins = 0

        def join(self, tensors):
            Counting.joins += 1
            return super().join(tensors)

    window, x = HeldRows(Counting()), np.arange(12).reshape(1, 6, 2, 1)
    window.add(x[:, :3])
    window.add(x[:, 3:])
    np.testing.assert_array_equal(window.rows(0, 3), x[:, :3])
    assert Counting.joins == 0
    np.testing.assert_array_equal(window.rows(2, 5), x[:, 2:5])
    assert Counting.joins == 1
