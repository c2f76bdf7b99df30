"""The multiply-adds of one 32-bit lane of inputs for a whole tile of AVX2, as the assembly that they are.

The accumulators, two vectors of weights, one of inputs and one product fill the 16 registers exactly. LLVM, which schedules
before it allocates, reads ahead and then keeps accumulators in memory: 0.80 of the limit instead of 0.95.
"""
from llvmlite import ir

from hwsim.engine.kernels.ir import i64

REGISTER = 32  # bytes
FITS = 12      # accumulators that leave room for the four others
SPARE = 4
PER_BASE = 3   # pixels that one address register reaches: itself, one step and two steps on


def fits(rung, acc):
    """Whether the tile can be emitted here."""
    return rung.name == "avx2" and len(acc) <= FITS


def emit(b, acc, weights, inputs, vecs, lane):
    """acc[pixel * vecs + n] + x0*w0 + x1*w1 for pair `lane` of inputs behind every pixel's address."""
    count, kind = len(acc), acc[0].type
    step = b.sub(inputs[1], inputs[0]) if len(inputs) > 1 else i64(0)
    addresses = [weights, step, *inputs[::PER_BASE]]
    registers = ir.LiteralStructType([kind] * (count + SPARE))
    constraints = ["=x"] * count + ["=&x"] * SPARE + [str(n) for n in range(count)] + ["r"] * len(addresses)
    function = ir.FunctionType(registers, [kind] * count + [i64] * len(addresses))
    text = "\n".join(_lines(count, vecs, lane))
    done = b.asm(function, text, ",".join(constraints), [*acc, *addresses], False)
    return [b.extract_value(done, n) for n in range(count)]


def _lines(count, vecs, lane):
    """Operands: accumulators, SPARE registers, the accumulators again, weights, the step of a pixel, every third pixel."""
    *w, x, product = (f"${count + n}" for n in range(SPARE))
    weights, step, first = (2 * count + SPARE + n for n in range(3))
    for n in range(vecs):
        yield f"vmovdqu {(lane * vecs + n) * REGISTER}(${weights}), {w[n]}"
    for pixel in range(count // vecs):
        yield f"vpbroadcastd {_address(first + pixel // PER_BASE, step, pixel % PER_BASE, 4 * lane)}, {x}"
        products = [product, x][2 - vecs:]
        yield from (f"vpmaddwd {x}, {w[n]}, {target}" for n, target in enumerate(products))
        yield from (f"vpaddd {target}, ${pixel * vecs + n}, ${pixel * vecs + n}" for n, target in enumerate(products))


def _address(base, step, steps, offset):
    return f"{offset}(${base})" if not steps else f"{offset}(${base},${step},{steps})"
