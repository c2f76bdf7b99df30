"""The machine's limit: dot products on registers alone, as many as its units take. Who measures brings the clock."""
from functools import lru_cache

import numpy as np
from numba import types
from numba.extending import intrinsic

from hwsim.engine.kernels.compiling import compiled
from hwsim.engine.kernels.ir import at, byte_dot, constant, counted_loop, i32, i64, load, madd, splat, vector
from hwsim.engine.kernels.microkernel import STAMP
from hwsim.engine.kernels.pack import aligned
from hwsim.engine.kernels.target import rung_of_lanes
from hwsim.engine.kernels.variant import Form

WEIGHTS, PIXELS = 3, 4  # 12 accumulators hide the latency of the instruction and leave 4 of 16 registers
OPERANDS = 1 << 12      # bytes that the operands come from: the first cache, as in a kernel


def emit(b, rung, form, passes, address):
    """A loop of WEIGHTS * PIXELS dots per pass, on operands that are loaded anew so that nothing can be hoisted."""
    kind, size = vector(i32, rung.lanes), rung.lanes * 4

    def body(i, state):
        here = b.add(address, b.and_(b.mul(i, i64(size)), i64(OPERANDS - 1)))
        weights = [load(b, at(b, here, n * size), kind, 4) for n in range(WEIGHTS)]
        inputs = [splat(b, load(b, at(b, here, n * size), i32, 4), rung.lanes) for n in range(PIXELS)]
        pairs = [(x, w) for x in inputs for w in weights]
        return [byte_dot(b, acc, x, w) if form == Form.QUAD else madd(b, rung, acc, x, w) for acc, (x, w) in zip(state, pairs)]

    total = constant(kind, 0)
    for value in counted_loop(b, passes, [constant(kind, n) for n in range(WEIGHTS * PIXELS)], body):
        total = b.add(total, value)
    return b.sext(b.extract_element(total, i32(0)), i64)


@intrinsic(prefer_literal=True)
def dots(typingctx, lanes, form, stamp, passes, address):
    def codegen(context, builder, signature, values):
        return emit(builder, rung_of_lanes(lanes.literal_value), form.literal_value, values[3], values[4])

    return types.int64(lanes, form, stamp, types.int64, types.int64), codegen


@lru_cache(None)
def _probe(lanes, kind, stamp):
    def chains(passes, operands):
        return dots(lanes, kind, stamp, passes, operands.ctypes.data)

    return compiled(chains)


def probe(rung, form):
    """run(passes), which does macs(rung, form, passes) multiply-accumulates on one core."""
    chains, operands = _probe(rung.lanes, int(form), STAMP), aligned(2 * OPERANDS, np.uint8)
    return lambda passes: chains(passes, operands)


def macs(rung, form, passes):
    return passes * WEIGHTS * PIXELS * rung.lanes * form
