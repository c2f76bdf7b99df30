"""The backends of the fast engine, best first: kernels for the CPU's dot products, compiled loops, numpy; equal bits."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from numba import config

from hwsim.engine.context import RunNode
from hwsim.engine.fast.portable import compiled, interpreted, operators, requantize
from hwsim.engine.fast.vector import operators as passes
from hwsim.engine.kernels.target import Rung, ladder


@dataclass(frozen=True)
class Backend:
    """The inner functions of the engine; compiled.py and requantize.py say what each does.

    vector: operator -> function of the vector operators.
    rungs: the instruction sets whose kernels run an array layer instead, where its plan allows one; first choice first.
    """

    plain: Callable[..., None]
    depthwise_plain: Callable[..., None]
    beats: Callable[..., int]
    folded: Callable[..., int]
    unfolded: Callable[..., int]
    vector: Mapping[str, RunNode]
    rungs: tuple[Rung, ...] = ()


COMPILED = Backend(plain=compiled.plain, depthwise_plain=compiled.depthwise_plain, beats=compiled.beats,
                   folded=requantize.folded_compiled, unfolded=requantize.unfolded_compiled, vector=passes.OPERATORS)
INTERPRETED = Backend(plain=interpreted.plain, depthwise_plain=interpreted.depthwise_plain, beats=interpreted.beats,
                      folded=requantize.folded, unfolded=requantize.unfolded, vector=operators.OPERATORS)
KERNELS = replace(COMPILED, rungs=ladder())
BEST = INTERPRETED if config.DISABLE_JIT else KERNELS
