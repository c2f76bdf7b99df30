"""The one node type and the graph: immutable, in topological order. A pass is a function graph -> graph."""
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from hwsim.errors import GraphError
from hwsim.ops.table import OPS

LAYOUTS = ("NHWC", "NCHW")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; its name is also the name of its output tensor. Build with Node.make."""

    name: str
    op: str
    inputs: tuple[str, ...]
    params: Mapping[str, object]

    @classmethod
    def make(cls, name, op, inputs=(), **params):
        """A node with the operator's defaults filled in; arrays become read-only."""
        if op not in OPS:
            raise GraphError(f"{name}: operator must be one of the table, not {op!r}")
        filled = {**OPS[op].defaults, **params}
        return cls(name, op, tuple(inputs), MappingProxyType({k: _frozen(v) for k, v in filled.items()}))

    def but(self, **changes):
        """This node with other parameters; `name`, `op` and `inputs` change those fields."""
        fields = {key: changes.pop(key) for key in ("name", "op", "inputs") if key in changes}
        base = {"name": self.name, "op": self.op, "inputs": self.inputs} | fields
        return Node.make(base["name"], base["op"], base["inputs"], **{**self.params, **changes})

    @property
    def spec(self):
        return OPS[self.op]


def _frozen(value):
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order; `inputs` and `outputs` are node names in the model's own order.

    `layout` says in which order the model takes its inputs and gives its outputs; the nodes themselves are always NHWC, and
    a .hwq file holds no other layout yet.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layout: str = "NHWC"

    @cached_property
    def by_name(self):
        return {node.name: node for node in self.nodes}

    @cached_property
    def use_count(self):
        """How often each tensor is read; being an output of the graph counts as one."""
        return Counter([name for node in self.nodes for name in node.inputs] + list(self.outputs))

    @cached_property
    def consumers(self):
        """name -> the nodes that read it, in order."""
        found = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return found

    def __getitem__(self, name):
        return self.by_name[name]

    def replaced(self, changes):
        """The graph with the named nodes exchanged for others of the same name; None removes a node."""
        nodes = (changes.get(node.name, node) for node in self.nodes)
        return replace(self, nodes=tuple(node for node in nodes if node is not None))

    def renamed(self, names):
        """The graph with tensors called by other names wherever they are read: {old: new}."""
        def new(name):
            while name in names:
                name = names[name]
            return name
        nodes = tuple(node.but(inputs=tuple(map(new, node.inputs))) if any(i in names for i in node.inputs) else node
                      for node in self.nodes)
        return replace(self, nodes=nodes, outputs=tuple(map(new, self.outputs)))

    @property
    def parameters(self):
        """How many trained or derived values the nodes hold."""
        return sum(value.size for node in self.nodes for value in node.params.values() if isinstance(value, np.ndarray))
