"""The one node type and the graph: immutable, in topological order. A pass is a function graph -> graph."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from hwsim.errors import GraphError
from hwsim.ops.kinds import Params
from hwsim.ops.spec import OpSpec
from hwsim.ops.table import OPS

LAYOUTS = ("NHWC", "NCHW")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; its name is also the name of its output tensor. Build with Node.make."""

    name: str
    op: str
    inputs: tuple[str, ...]
    params: Params

    @classmethod
    def make(cls, name: str, op: str, inputs: Iterable[str] = (), **params: Any) -> Node:
        """A node with the operator's defaults filled in; arrays become read-only. Errors: GraphError for an unknown operator."""
        if op not in OPS:
            raise GraphError(f"{name}: operator must be one of the table, not {op!r}")
        filled = {**OPS[op].defaults, **params}
        return cls(name, op, tuple(inputs), MappingProxyType({k: _frozen(v) for k, v in filled.items()}))

    def but(self, **changes: Any) -> Node:
        """This node with other parameters; `name`, `op` and `inputs` change those fields."""
        fields = {key: changes.pop(key) for key in ("name", "op", "inputs") if key in changes}
        base: dict[str, Any] = {"name": self.name, "op": self.op, "inputs": self.inputs} | fields
        return Node.make(base["name"], base["op"], base["inputs"], **{**self.params, **changes})

    @property
    def spec(self) -> OpSpec:
        """The operator's entry in the table."""
        return OPS[self.op]


def _frozen(value: Any) -> Any:
    """A read-only view of an array, or the value itself."""
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
    def by_name(self) -> dict[str, Node]:
        """name -> node."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def use_count(self) -> Counter[str]:
        """How often each tensor is read; being an output of the graph counts as one."""
        return Counter([name for node in self.nodes for name in node.inputs] + list(self.outputs))

    @cached_property
    def consumers(self) -> dict[str, list[Node]]:
        """name -> the nodes that read it, in order."""
        readers: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                readers[name].append(node)
        return readers

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    def replaced(self, changes: Mapping[str, Node | None]) -> Graph:
        """The graph with the named nodes exchanged for others of the same name; None removes a node."""
        nodes = (changes.get(node.name, node) for node in self.nodes)
        return replace(self, nodes=tuple(node for node in nodes if node is not None))

    def renamed(self, names: Mapping[str, str]) -> Graph:
        """The graph with tensors called by other names wherever they are read: {old: new}."""
        def new(name: str) -> str:
            while name in names:
                name = names[name]
            return name
        nodes = tuple(node.but(inputs=tuple(map(new, node.inputs))) if any(i in names for i in node.inputs) else node
                      for node in self.nodes)
        return replace(self, nodes=nodes, outputs=tuple(map(new, self.outputs)))

    @property
    def parameters(self) -> int:
        """How many trained or derived values the nodes hold."""
        return sum(value.size for node in self.nodes for value in node.params.values() if isinstance(value, np.ndarray))
