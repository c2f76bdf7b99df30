"""All measurements of `hwsim bench` in one run: array layers, a second thread, vector operators, other libraries."""
from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

import llvmlite
import numba
import numpy as np

from hwsim.bench import peers, vector
from hwsim.bench.array import LayerRate, ThreadGain, layer_rate, thread_gain
from hwsim.bench.layers import MODES, SHAPES, Shape
from hwsim.bench.peers import PeerRate
from hwsim.bench.vector import VectorCase, VectorRate
from hwsim.engine.kernels.target import ladder


@dataclass(frozen=True)
class Machine:
    """What was measured on: the processor, its ISA levels with kernels (fastest first), versions of what compiles."""

    cpu: str
    isa_levels: tuple[str, ...]
    dot_instruction: bool
    numpy: str
    numba: str
    llvmlite: str
    python: str


@dataclass(frozen=True)
class BenchResult:
    """One run of the bench. layers: a LayerRate per shape and mode that has a kernel, none where this process has no kernels;
    threads: what a second thread gains on the first shape, None without kernels; vector, peers: as their modules say."""

    machine: Machine
    layers: tuple[LayerRate, ...]
    threads: ThreadGain | None
    vector: tuple[VectorRate, ...]
    peers: tuple[PeerRate, ...]


def measure(shapes: Sequence[Shape] = SHAPES, modes: Sequence[str] = tuple(MODES), repeats: int = 9,
            vector_cases: Sequence[VectorCase] = vector.CASES) -> BenchResult:
    """The BenchResult of these shapes in these modes (names in MODES): medians of `repeats` measurements."""
    pairs = [(shape, mode) for shape in shapes for mode in modes] if ladder() else []
    layers = tuple(rate for pair in pairs if (rate := layer_rate(*pair, repeats)))
    return BenchResult(machine=_machine(), layers=layers, threads=thread_gain(shapes[0], repeats) if layers else None,
                       vector=vector.measured(repeats, vector_cases), peers=peers.measured(shapes))


def _machine() -> Machine:
    levels = ladder()
    return Machine(cpu=platform.machine(), isa_levels=tuple(level.name for level in levels),
                   dot_instruction=bool(levels) and levels[0].vnni, numpy=np.__version__, numba=numba.__version__,
                   llvmlite=llvmlite.__version__, python=platform.python_version())
