"""The machine's peak: dot products with operands from the first cache, as many as the execution units take.

A probe for benchmarks. It does not measure time; its callers do.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from hwsim.engine.host.jit import compiled
from hwsim.engine.kernels import dot_block
from hwsim.engine.kernels.ir import at, constant, counted_loop, i32, i64, load, madd, splat, vector
from hwsim.engine.kernels.microkernel import STAMP
from hwsim.engine.kernels.pack import aligned
from hwsim.engine.kernels.target import Rung, rung_of_lanes
from hwsim.engine.kernels.variant import Form

WEIGHTS, PIXELS = 2, 6  # 12 accumulators hide the latency of the instruction and leave 4 of 16 registers
LANES = 8               # of inputs per pass, so that the loop itself costs little
OPERANDS = 1 << 12      # bytes that weights come from, and as many for inputs: the first cache, as in a kernel
STEP = 64               # bytes between two pixels


def emit(b: Any, rung: Rung, form: int, passes: Any, address: Any) -> Any:
    """A loop of WEIGHTS * PIXELS * LANES dots per pass. No two of them have the same operands, and all are loaded anew: nothing
    can be hoisted or used twice.
    """
    kind, size = vector(i32, rung.lanes), rung.lanes * 4

    def body(i: Any, acc: list[Any]) -> list[Any]:
        # the masks keep both addresses inside OPERANDS bytes, which is a power of two, without a branch
        weights = b.add(address, b.and_(b.mul(i, i64(LANES * WEIGHTS * size)), i64(OPERANDS - 1)))
        first = at(b, b.add(address, b.and_(b.mul(i, i64(LANES * 4)), i64(OPERANDS - 1))), OPERANDS)
        inputs = [at(b, first, n * STEP) for n in range(PIXELS)]
        for lane in range(LANES):
            if dot_block.fits(rung, form, acc):
                acc = dot_block.emit(b, rung, form, acc, weights, inputs, lane)
            else:
                acc = _one_lane(b, rung, acc, at(b, weights, lane * WEIGHTS * size), [at(b, x, 4 * lane) for x in inputs])
        return acc

    # all accumulators go into the result: what nobody reads, LLVM would remove with the loop
    total = constant(kind, 0)
    for value in counted_loop(b, passes, [constant(kind, n) for n in range(WEIGHTS * PIXELS)], body):
        total = b.add(total, value)
    return b.sext(b.extract_element(total, i32(0)), i64)


def _one_lane(b: Any, rung: Rung, acc: list[Any], weights: Any, inputs: list[Any]) -> list[Any]:
    kind, size = acc[0].type, rung.lanes * 4
    w = [load(b, at(b, weights, n * size), kind, 4) for n in range(WEIGHTS)]
    x = [splat(b, load(b, address, i32, 4), rung.lanes) for address in inputs]
    pairs = [(activation, weight) for activation in x for weight in w]
    return [madd(b, rung, total, *pair) for total, pair in zip(acc, pairs)]


@intrinsic(prefer_literal=True)
def dots(typingctx: Any, lanes: Any, form: Any, stamp: Any, passes: Any, address: Any) -> Any:
    """emit() for numba. `stamp` is not used: as a literal it makes the cached code depend on the generator's sources."""
    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit(builder, rung_of_lanes(lanes.literal_value), form.literal_value, values[3], values[4])

    return types.int64(lanes, form, stamp, types.int64, types.int64), codegen


@lru_cache(None)
def _probe(lanes: int, kind: int, stamp: int) -> Callable[..., int]:
    def chains(passes: int, operands: np.ndarray) -> int:
        return dots(lanes, kind, stamp, passes, operands.ctypes.data)

    return compiled(chains)


def probe(rung: Rung, form: Form) -> Callable[[int], int]:
    """run(passes), which does macs(rung, form, passes) multiply-accumulates on one core."""
    chains, operands = _probe(rung.lanes, int(form), STAMP), aligned(2 * OPERANDS + PIXELS * STEP, np.uint8)
    return lambda passes: chains(passes, operands)


def macs(rung: Rung, form: Form, passes: int) -> int:
    """Multiply-accumulates that run(passes) of a probe does."""
    return passes * WEIGHTS * PIXELS * LANES * rung.lanes * form.inputs
