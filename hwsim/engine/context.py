"""Engines on the host: a function from a node and its input arrays to the output array and its counters."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from hwsim.engine.protocol import Job
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import INT16, Datapath, IntFormat
from hwsim.graph.bands import ARRAYS, RowMemory
from hwsim.graph.node import Node

Layer = TypeVar("Layer")


class PreparedLayers:
    """State of a session: what an engine has prepared of the layers of its array nodes, once for all bands and images."""

    def __init__(self) -> None:
        self._layers: dict[str, dict[str, Any]] = {}

    def of(self, node: str, suffix: str, prepare: Callable[[], Layer]) -> Layer:
        """The layer of a node with that suffix, prepared when it is first asked for."""
        layers = self._layers.setdefault(node, {})
        if suffix not in layers:
            layers[suffix] = prepare()
        layer: Layer = layers[suffix]
        return layer

    def release(self, node: str) -> None:
        """Lets the layers of a node go."""
        self._layers.pop(node, None)


@dataclass(frozen=True)
class Context:
    """All that a node's result depends on besides its parameters and inputs; `threads` and `prepared` never change a bit.

    monitor: fill every counter of LayerStats. Without it an engine returns LayerStats(), but in overflow mode `error`
    it still fills `first`.
    prepared: the session's; None: nothing is kept.
    """

    datapath: Datapath
    in_formats: tuple[IntFormat, ...]
    out_format: IntFormat
    monitor: bool = False
    threads: int = 1
    prepared: PreparedLayers | None = None


Inputs = list[np.ndarray]               # of a node: codes, N first
Output = tuple[np.ndarray, LayerStats]  # its codes, N first, and counters
RunNode = Callable[[Node, Inputs, Context], Output]


@dataclass(frozen=True)
class HostEngine:
    """The Engine of run_node(node, inputs, context) -> (int16 or int32 codes, N first, C-contiguous; LayerStats).

    `inputs` are C-contiguous int16 or int32 arrays (word_type), read only by custom. A node is never an input and never
    depends on sizes (graph.place_sizes); engine.legality has checked it. rows: where bands of rows are joined.
    """

    name: str
    run_node: RunNode
    rows: RowMemory[np.ndarray] = ARRAYS

    def prepare(self, job: Job) -> HostSession:
        """The HostSession of a Job; nothing is computed yet."""
        return HostSession(job, self.run_node, self.rows)


@dataclass(frozen=True, eq=False)
class HostSession:
    """The EngineSession of a HostEngine: its tensors are numpy arrays as they are."""

    job: Job
    run_node: RunNode
    rows: RowMemory[np.ndarray]
    prepared: PreparedLayers = field(default_factory=PreparedLayers)

    def put(self, codes: np.ndarray) -> np.ndarray:
        """The codes as they are: the engine's tensors are numpy arrays."""
        return codes

    def run(self, node: Node, tensors: list[np.ndarray]) -> tuple[np.ndarray, LayerStats]:
        """run_node() on a node, with the Context of the job."""
        job, reads = self.job, tuple(self.job.formats[name] for name in node.inputs)
        context = Context(datapath=job.datapath, in_formats=reads, out_format=job.formats[node.name], monitor=job.monitor,
                          threads=job.threads, prepared=self.prepared)
        return self.run_node(node, tensors, context)

    def get(self, tensor: np.ndarray) -> np.ndarray:
        """The tensor as it is, N first, C-contiguous."""
        return tensor

    def release(self, node: Node) -> None:
        """Lets what was prepared of the node's layers go."""
        self.prepared.release(node.name)


def word_type(least: int, most: int) -> type[np.signedinteger[Any]]:
    """The type in which the fast engine keeps codes least..most in memory: int16 where it holds them all, else int32."""
    return np.int16 if least in INT16 and most in INT16 else np.int32
