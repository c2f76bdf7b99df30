"""What an engine is: it prepares a network, then computes node by node; its tensors live wherever it keeps them."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.bands import RowMemory
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import Shapes

Tensor = TypeVar("Tensor")


@dataclass(frozen=True, eq=False)
class Job:
    """All that an engine may know before the first node: graph.place_sizes settled the sizes, engine.legality checked it all.

    formats, shapes: of every tensor of `graph`, N first; monitor, threads: see engine.context.Context.
    """

    graph: Graph
    formats: Mapping[str, IntFormat]
    shapes: Shapes
    datapath: Datapath
    monitor: bool = False
    threads: int = 1


class EngineSession(Protocol[Tensor]):
    """A prepared Job. It owns whatever an engine keeps between nodes, bands and images; dropping it frees that.

    rows: how its tensors are cut and joined, where they live; None: it runs whole networks only, never bands of rows.
    """

    @property
    def rows(self) -> RowMemory[Tensor] | None:
        """How tensors are cut into rows and joined, or None where they cannot be."""

    def put(self, codes: np.ndarray) -> Tensor:
        """The engine's tensor of int32 input codes, N first, C-contiguous."""

    def run(self, node: Node, tensors: list[Tensor]) -> tuple[Tensor, LayerStats]:
        """The output of a node that is no input, and its counters: all with Job.monitor, else only `first` in mode `error`.

        `node` is one of the graph, or stands for some rows of it (graph.rows.on_rows): its formats are those of
        node.inputs and node.name, its sizes those of the tensors.
        """

    def get(self, tensor: Tensor) -> np.ndarray:
        """Its int16 or int32 codes in numpy, N first, C-contiguous."""

    def release(self, node: Node) -> None:
        """All of the output of a node of the graph is computed: whatever the session keeps for it may go."""


@runtime_checkable
class Engine(Protocol):
    """What runs a network. engine.context.HostEngine is one made of a function on numpy arrays."""

    @property
    def name(self) -> str:
        """What users call it."""

    def prepare(self, job: Job) -> EngineSession[Any]:
        """The session of a checked Job, which may compile or pack whatever it needs."""
