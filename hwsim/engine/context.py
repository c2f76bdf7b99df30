"""What an engine is: one function from a node and its input tensors to the output tensor and its counters."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.fixed.formats import INT16, Datapath, IntFormat


@dataclass(frozen=True)
class Context:
    """All that a node's result depends on besides its parameters and inputs; `threads` and `memo` never change a bit.

    monitor: fill every counter of LayerStats. Without it an engine returns LayerStats(), but in overflow mode `error`
    it still fills `first`.
    memo: where an engine may keep, by the names of layers, what is the same for all bands of a frame; None: nowhere.
    """

    datapath: Datapath
    in_formats: tuple[IntFormat, ...]
    out_format: IntFormat
    monitor: bool = False
    threads: int = 1
    memo: dict | None = None


@dataclass(frozen=True)
class Engine:
    """run_node(node, inputs, context) -> (int16 or int32 codes, N first; LayerStats).

    `inputs` are C-contiguous int16 or int32 arrays (word_type), read only by custom. A node is never an input and never
    depends on sizes (graph.place_sizes); engine.legality has checked it.
    """

    name: str
    run_node: Callable


def word_type(least, most):
    """The type in which the fast engine keeps codes least..most in memory: int16 where it holds them all, else int32."""
    return np.int16 if least in INT16 and most in INT16 else np.int32
