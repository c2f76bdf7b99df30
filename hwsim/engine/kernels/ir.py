"""Small pieces of LLVM IR: vectors, memory at integer addresses, one loop, and the multiply-add of 16-bit pairs.

`b` is always the llvmlite IRBuilder. Nothing here computes: every function adds instructions and returns the value that they
will have at run time. Python loops are unrolled code, counted_loop() is a loop of the program.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from hwsim.engine.kernels.target import Rung

i1, i16, i32, i64 = (ir.IntType(bits) for bits in (1, 16, 32, 64))


def vector(kind: Any, lanes: int) -> Any:
    """The type of a vector of `lanes` elements."""
    return ir.VectorType(kind, lanes)


def constant(kind: Any, values: int | Iterable[int]) -> Any:
    """A vector constant; one integer fills every lane."""
    return ir.Constant(kind, [values] * kind.count if isinstance(values, int) else [int(v) for v in values])


def load(b: Any, address: Any, kind: Any, align: int) -> Any:
    """The value of type `kind` at an i64 `address`, of which only `align` bytes of alignment are promised."""
    value = b.load(b.inttoptr(address, ir.PointerType(kind)), typ=kind)
    value.align = align
    return value


def store(b: Any, value: Any, address: Any, align: int) -> None:
    """Writes `value` to an i64 `address` with `align` bytes of alignment."""
    b.store(value, b.inttoptr(address, ir.PointerType(value.type))).align = align


def at(b: Any, address: Any, offset: int) -> Any:
    """`address` moved by a constant number of bytes."""
    return b.add(address, i64(offset))


def shuffle(b: Any, first: Any, second: Any, index: Sequence[int] | range | np.ndarray) -> Any:
    """The elements `index` of two vectors side by side, those of the second counted on from those of the first."""
    return b.shuffle_vector(first, second, constant(vector(i32, len(index)), index))


def splat(b: Any, value: Any, lanes: int) -> Any:
    """A vector that holds a scalar in every lane; LLVM makes it one broadcast, from memory where the scalar was loaded."""
    undefined = ir.Constant(vector(value.type, lanes), ir.Undefined)
    return shuffle(b, b.insert_element(undefined, value, i32(0)), undefined, [0] * lanes)


# compare and select: LLVM recognises the pair as the one instruction (pminsd, pmaxsd, pmaxud) where the target has it

def smin(b: Any, p: Any, q: Any) -> Any:
    """The smaller of two signed numbers, lane by lane."""
    return b.select(b.icmp_signed("<", p, q), p, q)


def smax(b: Any, p: Any, q: Any) -> Any:
    """The larger of two signed numbers, lane by lane."""
    return b.select(b.icmp_signed(">", p, q), p, q)


def umax(b: Any, p: Any, q: Any) -> Any:
    """The larger of two unsigned numbers, lane by lane."""
    return b.select(b.icmp_unsigned(">", p, q), p, q)


def narrowed(b: Any, low: Any, high: Any) -> Any:
    """Two vectors of 32-bit lanes as one of 16-bit lanes; a number that does not fit becomes the nearest one that does."""
    both = shuffle(b, low, high, range(2 * low.type.count))
    # clamp and truncate in this order is what LLVM matches to packssdw; a plain trunc would drop bits and not be an instruction
    inside = smin(b, smax(b, both, constant(both.type, -1 << 15)), constant(both.type, (1 << 15) - 1))
    return b.trunc(inside, vector(i16, both.type.count))


def counted_loop(b: Any, count: Any, carried: Sequence[Any], body: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
    """The values of `carried` after count (>= 1) rounds of `carried = body(i, carried)`."""
    # SSA form: what a round changes is a phi, which takes its value from before the loop at first and from the last round after.
    # The test stands at the end, so that nothing is done for a loop that is never left at once; count is therefore at least 1.
    start, head = b.block, b.append_basic_block("loop")
    b.branch(head)
    b.position_at_end(head)
    i = b.phi(i64)
    i.add_incoming(i64(0), start)
    phis = [b.phi(value.type) for value in carried]
    for phi, value in zip(phis, carried):
        phi.add_incoming(value, start)
    new = body(i, list(phis))
    following = at(b, i, 1)
    i.add_incoming(following, b.block)  # b.block, not head: the body may have added blocks of its own
    for phi, value in zip(phis, new):
        phi.add_incoming(value, b.block)
    done = b.append_basic_block("done")
    b.cbranch(b.icmp_signed("<", following, count), head, done)
    b.position_at_end(done)
    return new


def either(b: Any, condition: Any, then: Callable[[], list[Any]], otherwise: Callable[[], list[Any]]) -> list[Any]:
    """The values of then() where `condition` holds, else those of otherwise(): lists of equal types, only one of them made."""
    with b.if_else(condition) as (yes, no):
        with yes:
            first, after_first = then(), b.block
        with no:
            second, after_second = otherwise(), b.block
    phis = []
    for value, alternative in zip(first, second):
        phi = b.phi(value.type)
        phi.add_incoming(value, after_first)
        phi.add_incoming(alternative, after_second)
        phis.append(phi)
    return phis


def any_set(b: Any, value: Any) -> Any:
    """Whether any bit of a vector is set."""
    # the vector as one integer of 128 to 512 bits; comparing that with zero becomes a vptest or a mask, not a loop over lanes
    whole = ir.IntType(value.type.count * value.type.element.width)
    return b.icmp_unsigned("!=", b.bitcast(value, whole), whole(0))


def none_negative(b: Any, values: Sequence[Any]) -> Any:
    """Whether no lane of several vectors of 32-bit numbers is below zero."""
    bits = values[0]
    for value in values[1:]:
        bits = b.or_(bits, value)
    # the sign bit of the union is set where any lane is negative: one test for all vectors
    return b.not_(any_set(b, b.and_(bits, constant(bits.type, -1 << 31))))


def call(b: Any, name: str, result: Any, arguments: Sequence[Any]) -> Any:
    """A call of one of LLVM's named instructions."""
    kind = ir.FunctionType(result, [value.type for value in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), arguments)


def madd(b: Any, rung: Rung, acc: Any, x: Any, w: Any) -> Any:
    """acc + x0*w0 + x1*w1 per 32-bit lane, x and w holding two 16-bit numbers each."""
    if rung.vnni:
        return _pair_dot(b, rung, acc, x, w)
    halves = vector(i16, 2 * rung.lanes)
    # pmaddwd adds the two products of a lane in 32 bits: exact unless both are (-2^15)^2, which proofs.pairs_exact excludes
    return b.add(acc, call(b, rung.madd, acc.type, [b.bitcast(x, halves), b.bitcast(w, halves)]))


def _pair_dot(b: Any, rung: Rung, acc: Any, x: Any, w: Any) -> Any:
    """madd() as the one instruction that it is. Written out, since LLVM takes it apart again on targets whose tuning calls
    it slow, which halves the speed."""
    kind = ir.FunctionType(acc.type, [acc.type] * 3)
    # "=r,r,r,0": the result in a register, two inputs, and the accumulator in the result's own register, as the instruction adds
    # in place. AT&T order: sources first, destination last.
    registers = f"={rung.register},{rung.register},{rung.register},0"
    return b.asm(kind, f"{rung.dot('vpdpwssd')} $2, $1, $0", registers, [w, x, acc], False)
