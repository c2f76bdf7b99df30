"""The choice between the compiled and the interpreted loops. Both give the same bits."""
from collections.abc import Callable
from dataclasses import dataclass

from numba import config

from hwsim.engine.fast import compiled, interpreted, requantize


@dataclass(frozen=True)
class Loops:
    """The inner functions of the engine; compiled.py and requantize.py say what each does."""

    plain: Callable
    depthwise_plain: Callable
    beats: Callable
    folded: Callable
    unfolded: Callable


COMPILED = Loops(compiled.plain, compiled.depthwise_plain, compiled.beats,
                 requantize.folded_compiled, requantize.unfolded_compiled)
INTERPRETED = Loops(interpreted.plain, interpreted.depthwise_plain, interpreted.beats,
                    requantize.folded, requantize.unfolded)
BEST = INTERPRETED if config.DISABLE_JIT else COMPILED
