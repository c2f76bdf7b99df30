"""Operators on several tensors (add, multiply, extremes, concat), two at a time.

Where no machine word is proved wide enough, engine/fast/portable/merge.py computes instead.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output, RunNode
from hwsim.engine.fast.portable import merge
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.fast.vector import arithmetic, words
from hwsim.engine.fast.vector.box import Box, move, put
from hwsim.engine.fast.vector.scratch import SCRATCH
from hwsim.engine.fast.vector.sweep import Pass, elementwise
from hwsim.engine.fast.vector.words import Terms
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import in_order
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Rounding
from hwsim.graph.node import Node

STRIP = 1 << 17  # values that are scaled in the cache on their way to another place


def add(node: Node, inputs: Inputs, context: Context) -> Output:
    """The sum of x*m over all inputs, rounded by `shift` and clamped."""
    p, m = node.params, [int(value) for value in node.params["m"]]
    terms = [(fmt.largest, value) for fmt, value in zip(context.in_formats, m)]
    if len(m) == 1:  # the passes take two inputs: the same one again, times 0
        inputs, terms = inputs * 2, [*terms, (terms[0][0], 0)]
    run = _sum_of(terms, p, context.datapath.rounding)
    if run is None:
        return merge.add(node, inputs[:len(m)], context)
    return _counted(elementwise(node, inputs, context, run))


def _counted(result: tuple[np.ndarray, int]) -> Output:
    y, changed = result
    return y, LayerStats(clamped=int(changed))


def _sum_of(terms: Terms, p: Mapping[str, Any], rounding: Rounding) -> Pass | None:
    """run(parts, y) in the first word that holds the sum: 32 bits, 32 bits in two parts, 64 bits; None: no word does."""
    factors = [m for _, m in terms]
    word = words.word_of(sum(largest * max(abs(m), 1) for largest, m in terms), p["shift"], rounding)
    # two 32-bit parts before 64 bits: those have half the lanes and, below AVX-512, no instruction for a product
    cut = words.cut_of([terms], p["shift"], rounding) if word is not np.int32 and len(terms) == 2 else None
    if cut and cut[0] is np.int32:
        return _two_parts(arithmetic.add_cut, factors, p, rounding, *cut)
    return None if word is None else partial(_sum, factors, words.rule(p["shift"], rounding, word, p["lo"], p["hi"]))


def _two_parts(function: Callable[..., Any], factors: Sequence[int], p: Mapping[str, Any], rounding: Rounding,
               word: type[np.signedinteger[Any]], cut: int) -> Pass:
    halves = words.cut_factors(factors, p["shift"], rounding, word, cut)
    rule = words.cut_rule(p["shift"], rounding, word, cut, p["lo"], p["hi"])
    return lambda parts, y: function(*parts, halves, rule, y)


def _sum(m: Sequence[int], rule: np.ndarray, parts: Sequence[np.ndarray], y: np.ndarray) -> int:
    """The sum in pairs: partial sums stay in the word, unrounded; the last pass rounds and clamps."""
    word, total, factor = rule.dtype.type, parts[0], m[0]
    for i, (x, m_of_x) in enumerate(zip(parts[1:-1], m[1:-1])):
        # two arrays in turn: a pass must not write where it reads, or LLVM could not vectorise it
        partial_sum = SCRATCH(f"sum {i % 2}", y.shape, word)
        arithmetic.add(total, x, words.factors(word, factor, m_of_x), words.unchanged(word), partial_sum)
        total, factor = partial_sum, 1
    return arithmetic.add(total, parts[-1], words.factors(word, factor, m[-1]), rule, y)


def multiply(node: Node, inputs: Inputs, context: Context) -> Output:
    """x*z*m rounded by `shift` and clamped."""
    p, rounding = node.params, context.datapath.rounding
    largest = context.in_formats[0].largest * context.in_formats[1].largest
    cut = words.cut_of([[(largest, p["m"])]], p["shift"], rounding)
    if cut is None:
        return merge.multiply(node, inputs, context)
    return _counted(elementwise(node, inputs, context, _two_parts(arithmetic.multiply, [p["m"]], p, rounding, *cut)))


def maximum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The largest of the inputs, each at the output's scale, clamped."""
    return _extreme(merge.maximum, 0, node, inputs, context)


def minimum(node: Node, inputs: Inputs, context: Context) -> Output:
    """The smallest of the inputs, each at the output's scale, clamped."""
    # flip -1: the complement turns the order round, and the same pass gives the minimum
    return _extreme(merge.minimum, -1, node, inputs, context)


def _extreme(general: RunNode, flip: int, node: Node, inputs: Inputs, context: Context) -> Output:
    p, rounding = node.params, context.datapath.rounding
    word = _word_of_all(p, context)
    if word is None:
        return general(node, inputs, context)
    scales = [words.scaling(m, s, rounding, word) for m, s in zip(p["m"], p["shift"])]
    run = partial(_extreme_of, scales, words.factors(word, flip, p["lo"], p["hi"]))
    return _counted(elementwise(node, inputs, context, run))


def _word_of_all(p: Mapping[str, Any], context: Context) -> type[np.signedinteger[Any]] | None:
    """The word that fits every input's own product."""
    rounding, needed = context.datapath.rounding, list[Any]()
    for m, shift, fmt in zip(p["m"], p["shift"], context.in_formats):
        needed.append(words.word_of(max(abs(int(m)), 1) * fmt.largest, shift, rounding))
    return None if None in needed else max(needed, key=lambda word: np.iinfo(word).bits)


def _extreme_of(scales: Sequence[np.ndarray], ends: np.ndarray, parts: Sequence[np.ndarray], y: np.ndarray) -> int:
    word, best, scale = ends.dtype.type, parts[0], scales[0]
    whole, same = np.iinfo(word), words.factors(word, 1, 0, 0, 0, 0)
    for i, (x, scale_of_x) in enumerate(zip(parts[1:-1], scales[1:-1])):
        # each input is rescaled once, when it is compared first; from then on the best so far is taken as it is (`same`)
        better = SCRATCH(f"best {i % 2}", y.shape, word)
        arithmetic.extreme(best, x, scale, scale_of_x, words.factors(word, ends[0], whole.min, whole.max), better)
        best, scale = better, same
    return arithmetic.extreme(best, parts[-1], scale, scales[-1], ends, y)


def concat(node: Node, inputs: Inputs, context: Context) -> Output:
    """Each input into its place: moved where no value can change, else scaled block by block on the way."""
    p, axis = node.params, node.params["axis"]
    if _word_of_all(p, context) is None:
        return merge.concat(node, inputs, context)
    shape = list(inputs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in inputs)
    y, to, changed = ARENA.empty(tuple(shape), storage_type(node, inputs, context)), 0, 0
    for i, x in enumerate(inputs):
        box = _place(x, y, axis, to)
        changed += _put(x, y, box, i, p, context)
        to += box.counts[3]
    return y, LayerStats(clamped=changed)


def _place(x: np.ndarray, y: np.ndarray, axis: int, to: int) -> Box:
    """Where x goes: runs of all axes from `axis` on, `to` values from the beginning of each run of y."""
    outer, run, wide = x.shape[2:axis], prod(x.shape[axis:]), prod(y.shape[axis:])
    rows, columns = prod(x.shape[:min(axis, 2)]), prod(outer)
    return Box(counts=(rows, 1, columns, run), source=(columns * run, 0, run, 1), target=(columns * wide, 0, wide, 1), at=0,
               to=to)


def _put(x: np.ndarray, y: np.ndarray, box: Box, i: int, p: Mapping[str, Any], context: Context) -> int:
    """How many values the clamp changed."""
    fmt, m, rounding = context.in_formats[i], int(p["m"][i]), context.datapath.rounding
    # m = 1, shift = 0 and a range that the input's codes cannot leave: a copy, no arithmetic
    own = {"shift": int(p["shift"][i]), "lo": p["lo"], "hi": p["hi"]}
    if (m, own["shift"]) == (1, 0) and p["lo"] <= fmt.min and fmt.max <= p["hi"]:
        move(x, y, [box], context.threads)
        return 0
    scale: Any = _sum_of([(fmt.largest, m), (fmt.largest, 0)], own, rounding)
    return sum(in_order(partial(_scaled, x.reshape(1, -1), y.reshape(-1), scale), box.parts(STRIP), context.threads))


def _scaled(x: np.ndarray, y: np.ndarray, scale: Pass, box: Box) -> int:
    """A part of an input, whose values lie side by side, scaled and then moved."""
    values = x[:, box.at:box.at + prod(box.counts)]
    scaled = SCRATCH("scaled", values.shape, y.dtype)
    changed = scale([values, values], scaled)
    put(scaled[0], y, replace(box, at=0))
    return changed
