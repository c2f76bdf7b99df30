"""The ladder of the fast engine: kernels for the CPU's dot products, compiled loops, interpreted loops; equal bits."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from numba import config

from hwsim.engine.fast.portable import compiled, interpreted, operators, requantize
from hwsim.engine.fast.vector import operators as passes
from hwsim.engine.kernels.target import Rung, ladder


@dataclass(frozen=True)
class Backend:
    """The inner functions of the engine; compiled.py and requantize.py say what each does.

    vector: operator -> function of the vector operators.
    rungs: the instruction sets whose kernels run an array layer instead, where its plan allows one; first choice first.
    """

    plain: Callable
    depthwise_plain: Callable
    beats: Callable
    folded: Callable
    unfolded: Callable
    vector: Mapping[str, Callable]
    rungs: tuple[Rung, ...] = ()


COMPILED = Backend(compiled.plain, compiled.depthwise_plain, compiled.beats,
                 requantize.folded_compiled, requantize.unfolded_compiled, passes.OPERATORS)
INTERPRETED = Backend(interpreted.plain, interpreted.depthwise_plain, interpreted.beats,
                    requantize.folded, requantize.unfolded, operators.OPERATORS)
KERNELS = replace(COMPILED, rungs=ladder())
BEST = INTERPRETED if config.DISABLE_JIT else KERNELS
