"""Random integer networks of 3 to 12 nodes, made directly from codes: every operator, width, rounding and overflow mode.

random_network(seed) is a pure function of its seed.
"""
from collections import Counter
from fractions import Fraction

import numpy as np

from helpers import random_array_nodes as array
from helpers import random_vector_nodes as vector
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer

# array layers stand several times: they are what there is most to get wrong in
MAKERS = (array.conv2d,) * 5 + (array.conv2d_transpose,) * 3 + (array.dense,) * 2 + vector.MAKERS
ROUNDINGS = tuple(Rounding)
MODES = (Overflow.WRAP, Overflow.SATURATE)


class Builder:
    """Nodes so far with their shapes and formats, and what all nodes share."""

    def __init__(self, rng, datapath):
        self.rng, self.datapath = rng, datapath
        self.nodes, self.shapes, self.formats = [], {}, {}

    @property
    def gemmlowp(self):
        return self.datapath.rounding is Rounding.GEMMLOWP

    def integer(self, low, high):
        """An int in low..high."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, percent):
        return self.integer(1, 100) <= percent

    def choice(self, options):
        return options[self.integer(0, len(options) - 1)]

    def word(self):
        bits = self.integer(2, 16)
        kind = self.integer(0, 9)
        return IntFormat(bits, signed=kind != 0, narrow=kind == 1)

    def add(self, op, inputs, fmt, **params):
        node = Node.make(f"{op}{len(self.nodes)}", op, inputs, **params)
        self.nodes.append(node)
        self.formats[node.name] = fmt
        self.shapes = infer(Graph(tuple(self.nodes), self.sources, (node.name,)), {n: self.shapes[n] for n in self.sources})

    @property
    def sources(self):
        return tuple(n.name for n in self.nodes if n.op == "input")

    def image(self, largest=400):
        """The name of a random tensor of rank 4 with at most `largest` pixels, else of the first input."""
        return self.choice([n for n, s in self.shapes.items() if len(s) == 4 and np.prod(s[1:3]) <= largest] or ["in0"])

    def tensor(self):
        return self.choice(list(self.shapes))

    def codes(self, fmt, shape):
        """Random codes with both ends of the word among them."""
        codes = self.rng.integers(fmt.min, fmt.max + 1, shape)
        ends = self.rng.integers(0, 8, shape)
        return np.where(ends == 0, fmt.min, np.where(ends == 1, fmt.max, codes))

    def range(self, fmt):
        """lo and hi: the whole word, a ReLU, or something tighter."""
        kind = self.integer(0, 3)
        if kind == 0:
            ends = sorted((self.integer(fmt.min, fmt.max), self.integer(fmt.min, fmt.max)))
            return {"lo": ends[0], "hi": ends[1]}
        return {"lo": max(fmt.min, 0) if kind == 1 else fmt.min, "hi": fmt.max}

    def factor(self, in_bits, out_bits):
        """(m, shift) that brings `in_bits` to about `out_bits`; sometimes far off, sometimes the largest shift."""
        if self.chance(4):
            return self.integer(0, (1 << self.datapath.mult_bits) - 1), 62
        m = self.integer(1 << (self.datapath.mult_bits - 2), (1 << self.datapath.mult_bits) - 1)
        shift = in_bits + self.datapath.mult_bits - out_bits + self.integer(-2, 1)
        return m, min(max(shift, 31 if self.gemmlowp else 0), 62)


def random_network(seed):
    """(IntegerGraph, inputs) number `seed`."""
    rng = np.random.default_rng(seed)
    b = Builder(rng, _datapath(rng, seed))
    for index in range(b.integer(1, 2) if b.chance(20) else 1):
        shape = (b.integer(1, 9), b.integer(1, 9), b.choice([1, 2, 3, 4, 5, 8, 15, 16, 17, 20]))
        name = f"in{index}"
        b.nodes.append(Node.make(name, "input", shape=shape, index=index))
        b.shapes[name], b.formats[name] = (1 + seed % 2, *shape), b.word()
    MAKERS[seed % len(MAKERS)](b)
    length = b.integer(3, 12)
    while len(b.nodes) < length:
        b.choice(MAKERS)(b)
    read = Counter(name for node in b.nodes for name in node.inputs)
    outputs = tuple(node.name for node in b.nodes if not read[node.name])
    graph = Graph(tuple(b.nodes), b.sources, outputs)
    scales = {node.name: Fraction(1) for node in b.nodes}
    inputs = {n: b.codes(b.formats[n], b.shapes[n]) for n in b.sources}
    return IntegerGraph(graph, b.formats, scales, b.datapath, {}), inputs


def _datapath(rng, seed):
    rounding = ROUNDINGS[seed % len(ROUNDINGS)]
    gemmlowp = rounding is Rounding.GEMMLOWP
    acc_bits = int(rng.integers(8, 25)) if rng.integers(0, 4) else int(rng.integers(25, 49))
    return Datapath(acc_bits=acc_bits, acc_mode=MODES[seed // len(ROUNDINGS) % 2], rounding=rounding,
                    mult_bits=31 if gemmlowp or rng.integers(0, 5) == 0 else int(rng.integers(4, 32)),
                    folded=gemmlowp or bool(rng.integers(0, 2)), tn=1 << int(rng.integers(0, 6)), tm=1 << int(rng.integers(0, 6)))
