"""The Python entry point to a run: real values or codes in, tensors, cycles and overflow out (spec/interfaces.md section 7)."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hwsim.engine import run as engine_run
from hwsim.engine.protocol import Engine
from hwsim.engine.result import Result
from hwsim.errors import UsageError
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Node
from hwsim.graph.store import open_net as open  # noqa: A004  the public name is hwsim.open
from hwsim.hw.accumulator.bounds import accumulator_bounds
from hwsim.hw.config import Device, load_device
from hwsim.hw.costs.network_cycles import network_cycles
from hwsim.pipeline.engines import engine_of
from hwsim.pipeline.sources import shapes_of
from hwsim.pipeline.summary import cycles_summary, overflow_summary
from hwsim.quantization.boundary import read_input

__all__ = ["Run", "open", "run"]
Inputs = np.ndarray | Sequence[np.ndarray] | Mapping[str, np.ndarray]
Progress = Callable[[Node, int, int], None]


@dataclass(frozen=True, eq=False)
class Run(Result):
    """A Result with `cycles` and `overflow` as in the reports (layers, total), computed when asked for."""

    net: IntegerGraph
    in_shapes: Mapping[str, tuple[int, ...]]
    device: Device

    @cached_property
    def cycles(self) -> dict[str, Any]:
        """Of one image, on the device of the run."""
        return cycles_summary(network_cycles(self.net, self.in_shapes, self.device))

    @cached_property
    def overflow(self) -> dict[str, Any]:
        """Needs a run with monitor=True, the default."""
        return overflow_summary(self.net, accumulator_bounds(self.net, self.in_shapes, self.stats), self.stats)


def run(net: IntegerGraph, x: Inputs, engine: str | Engine = "fast", dump: str | Iterable[str] = (), monitor: bool = True,
        threads: int | None = None, progress: Progress | None = None, device: Device | None = None) -> Run:
    """The Run of an IntegerGraph on `x`: one array, a list in the order of net.inputs, or a map from input name to array.

    Real values are quantized on entry, integer arrays are codes; N comes first. engine: fast, reference, stepped or an
    Engine; device: a Device, by default sensor_npu. The other arguments are those of hwsim.engine.run.run.
    Errors: UsageError for a `net` that is no IntegerGraph and for inputs that do not fit it; those of hwsim.engine.run.run.
    """
    if not isinstance(net, IntegerGraph):
        raise UsageError(f"hwsim.run must be given an IntegerGraph, as hwsim.quantize makes it, not a {type(net).__name__}")
    dump = (dump,) if isinstance(dump, str) else tuple(dump)
    codes, _ = read_input(net, _by_name(net, x))
    device = device or load_device()
    result = engine_run.run(net, codes, engine_of(engine, device), dump, monitor, threads, progress)
    return Run(outputs=result.outputs, tensors=result.tensors, stats=result.stats, net=net, in_shapes=shapes_of(codes),
               device=device)


def _by_name(net: IntegerGraph, x: Inputs) -> dict[str, np.ndarray]:
    """input name -> array. Errors: UsageError for another number of arrays than inputs."""
    if isinstance(x, Mapping):
        return dict(x)
    arrays = [x] if isinstance(x, np.ndarray) else list(x)
    if len(arrays) != len(net.inputs):
        raise UsageError(f"inputs must be {len(net.inputs)} arrays ({', '.join(net.inputs)}), not {len(arrays)}")
    return dict(zip(net.inputs, arrays))
