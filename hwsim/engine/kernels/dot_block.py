"""The dot products of one 32-bit lane of inputs for a whole tile, written as inline assembly.

Why not IR: on AVX2 the accumulators, two vectors of weights, one of inputs and one product fill the 16 registers exactly. LLVM
schedules before it allocates registers; it hoists loads and then spills accumulators to memory: 0.80 of the peak instead of 0.95.
On AVX-512 LLVM derives every pixel's address from its neighbour's, a chain that takes longer than the dot products of a tile of
one column.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir

from hwsim.engine.kernels.ir import i64
from hwsim.engine.kernels.target import Rung
from hwsim.engine.kernels.variant import Form

FITS = {"avx2": 12, "avx512": 24}  # accumulators that leave room for the other registers
PER_BASE = 3  # pixels that one address register reaches: itself, one step and two steps on


def fits(rung: Rung, form: int, acc: list[Any]) -> bool:
    """Whether the tile can be emitted here."""
    return not Form(form).depthwise and len(acc) <= FITS.get(rung.name, 0)


def emit(b: Any, rung: Rung, form: int, acc: list[Any], weights: Any, inputs: list[Any], lane: int) -> list[Any]:
    """acc[pixel * vecs + n] + the dot product of x[pixel] and w[n], for lane `lane` of inputs behind every pixel's address.

    LLVM is not told what is read: no kernel writes to its inputs or weights.
    """
    # Operands of the one asm statement: `count` accumulators (read and written), `spare` scratch registers (written early, hence
    # "=&": the compiler must not let them share a register with an input), then addresses in general registers.
    count, kind, spare = len(acc), acc[0].type, _spare(rung, len(acc) // len(inputs))
    step = b.sub(inputs[1], inputs[0]) if len(inputs) > 1 else i64(0)
    addresses = [weights, step, *inputs[::PER_BASE]]
    registers = ir.LiteralStructType([kind] * (count + spare))
    kept, scratch = [f"={rung.register}"] * count, [f"=&{rung.register}"] * spare
    # a digit as a constraint ties an input to that output's register: the accumulators stay where they are
    constraints = [*kept, *scratch, *map(str, range(count)), *["r"] * len(addresses)]
    function = ir.FunctionType(registers, [kind] * count + [i64] * len(addresses))
    text = "\n".join(_lines(rung, form, count, len(inputs), lane))
    # no side effects (False): LLVM may move the statement, which only reads memory that no kernel writes
    results = b.asm(function, text, ",".join(constraints), [*acc, *addresses], False)
    return [b.extract_value(results, n) for n in range(count)]


def _spare(rung: Rung, vecs: int) -> int:
    """Registers beside the accumulators: weights, inputs, and a product where there is no dot product instruction."""
    return vecs + 1 + (not rung.vnni)


def _lines(rung: Rung, form: int, count: int, pixels: int, lane: int) -> Iterator[str]:
    """Operands: accumulators, spare registers, the accumulators again, weights, the step of a pixel, every third pixel."""
    vecs, size = count // pixels, 4 * rung.lanes
    spare = _spare(rung, vecs)
    w = [f"${count + n}" for n in range(vecs)]
    x, product = f"${count + vecs}", f"${count + vecs + 1}"
    weights, step, first = (2 * count + spare + n for n in range(3))
    for n in range(vecs):
        yield f"vmovups {(lane * vecs + n) * size}(${weights}), {w[n]}"
    for pixel in range(pixels):
        here = [f"${pixel * vecs + n}" for n in range(vecs)]
        # base + {0, 1, 2} * step: x86 addressing scales an index by 1, 2, 4 or 8 only, so every third pixel has its own base
        address = _address(first + pixel // PER_BASE, step, pixel % PER_BASE, 4 * lane)
        if rung.name == "avx512" and rung.vnni and form == Form.PAIR and vecs == 1:  # inputs of one use need no register
            yield f"vpdpwssd {address}{{1to16}}, {w[0]}, {here[0]}"
        else:
            yield f"vpbroadcastd {address}, {x}"
            yield from _dots(rung, form, x, product, w, here)


def _dots(rung: Rung, form: int, x: str, product: str, w: Sequence[str], acc: Sequence[str]) -> Iterator[str]:
    """Every accumulator with its dot product; without a dot product instruction, the last use of x makes room for another."""
    if form == Form.QUAD:  # vpdpbusd multiplies unsigned by signed bytes; in AT&T order the unsigned inputs come second
        yield from (f"{rung.dot('vpdpbusd')} {weights}, {x}, {total}" for weights, total in zip(w, acc))
    elif rung.vnni:
        yield from (f"{rung.dot('vpdpwssd')} {x}, {weights}, {total}" for weights, total in zip(w, acc))
    else:  # AVX2 without VNNI: multiply pairs, then add, with one scratch register for two products
        products = [product, x][2 - len(w):]
        yield from (f"vpmaddwd {x}, {weights}, {target}" for weights, target in zip(w, products))
        yield from (f"vpaddd {target}, {total}, {total}" for target, total in zip(products, acc))


def _address(base: int, step: int, steps: int, offset: int) -> str:
    return f"{offset}(${base})" if not steps else f"{offset}(${base},${step},{steps})"
