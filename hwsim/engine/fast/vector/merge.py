"""Operators that join tensors, two at a time; where no word of the machine is wide enough, fast/merge.py."""
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from hwsim.engine.fast import merge
from hwsim.engine.fast.blocks import largest_code
from hwsim.engine.fast.made import made_type
from hwsim.engine.fast.vector import arithmetic, words
from hwsim.engine.fast.vector.box import Box, move, put
from hwsim.engine.fast.vector.sweep import VALUES, elementwise
from hwsim.engine.kernels.arena import ARENA
from hwsim.engine.kernels.pool import in_order
from hwsim.engine.result import LayerStats


def add(node, inputs, context):
    p, rounding = node.params, context.datapath.rounding
    m = [int(value) for value in p["m"]]
    largest = sum(max(abs(value), 1) * largest_code(fmt) for value, fmt in zip(m, context.in_formats))
    word = words.word_of(largest, p["shift"], rounding)
    if word is None:
        return merge.add(node, inputs, context)
    if len(m) == 1:
        inputs, m = inputs * 2, [m[0], 0]
    run = partial(_sum, m, words.rule(p["shift"], rounding, word, p["lo"], p["hi"]))
    return _counted(elementwise(node, inputs, context, run))


def _counted(result):
    y, changed = result
    return y, LayerStats(clamped=int(changed))


def _sum(m, rule, parts, y):
    """The sum in pairs: what is added before the last input stays in the word."""
    word, total, factor = rule.dtype.type, parts[0], m[0]
    for x, other in zip(parts[1:-1], m[1:-1]):
        made = np.empty(y.shape, word)
        arithmetic.add(total, x, words.factors(word, factor, other), words.unchanged(word), made)
        total, factor = made, 1
    return arithmetic.add(total, parts[-1], words.factors(word, factor, m[-1]), rule, y)


def multiply(node, inputs, context):
    p, rounding = node.params, context.datapath.rounding
    largest = largest_code(context.in_formats[0]) * largest_code(context.in_formats[1])
    found = words.cut_product(largest, p["m"], p["shift"], rounding)
    if found is None:
        return merge.multiply(node, inputs, context)
    word, cut = found
    factors = words.cut_factors(p["m"], p["shift"], rounding, word, cut)
    rule = words.cut_rule(p["shift"], rounding, word, cut, p["lo"], p["hi"])

    def run(parts, y):
        return arithmetic.multiply(*parts, factors, rule, y)
    return _counted(elementwise(node, inputs, context, run))


def maximum(node, inputs, context):
    return _extreme(merge.maximum, 0, node, inputs, context)


def minimum(node, inputs, context):
    return _extreme(merge.minimum, -1, node, inputs, context)


def _extreme(general, flip, node, inputs, context):
    p, rounding = node.params, context.datapath.rounding
    word = _word_of_all(p, context)
    if word is None:
        return general(node, inputs, context)
    scales = [words.scaling(m, s, rounding, word) for m, s in zip(p["m"], p["shift"])]
    run = partial(_extreme_of, scales, words.factors(word, flip, p["lo"], p["hi"]))
    return _counted(elementwise(node, inputs, context, run))


def _word_of_all(p, context):
    """The word that fits every input's own product."""
    rounding, found = context.datapath.rounding, []
    for m, shift, fmt in zip(p["m"], p["shift"], context.in_formats):
        found.append(words.word_of(max(abs(int(m)), 1) * largest_code(fmt), shift, rounding))
    return None if None in found else max(found, key=lambda word: np.iinfo(word).bits)


def _extreme_of(scales, ends, parts, y):
    word, best, scale = ends.dtype.type, parts[0], scales[0]
    whole, same = np.iinfo(word), words.factors(word, 1, 0, 0, 0, 0)
    for x, other in zip(parts[1:-1], scales[1:-1]):
        made = np.empty(y.shape, word)
        arithmetic.extreme(best, x, scale, other, words.factors(word, ends[0], whole.min, whole.max), made)
        best, scale = made, same
    return arithmetic.extreme(best, parts[-1], scale, scales[-1], ends, y)


def concat(node, inputs, context):
    """Each input into its place: moved where no value can change, else scaled block by block on the way."""
    p, axis = node.params, node.params["axis"]
    word = _word_of_all(p, context)
    if word is None:
        return merge.concat(node, inputs, context)
    shape = list(inputs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in inputs)
    y, to, changed = ARENA.empty(tuple(shape), made_type(node, inputs, context)), 0, 0
    for i, x in enumerate(inputs):
        box = _place(x, y, axis, to)
        changed += _put(x, y, box, i, p, context, word)
        to += box.counts[3]
    return y, LayerStats(clamped=changed)


def _place(x, y, axis, to):
    """Where x goes: runs of all axes from `axis` on, `to` values from the beginning of each run of y."""
    outer, run, wide = x.shape[2:axis], prod(x.shape[axis:]), prod(y.shape[axis:])
    rows, columns = prod(x.shape[:min(axis, 2)]), prod(outer)
    return Box((rows, 1, columns, run), (columns * run, 0, run, 1), (columns * wide, 0, wide, 1), 0, to)


def _put(x, y, box, i, p, context, word):
    fmt, m, shift = context.in_formats[i], int(p["m"][i]), int(p["shift"][i])
    if (m, shift) == (1, 0) and p["lo"] <= fmt.min and fmt.max <= p["hi"]:
        move(x, y, [box], context.threads)
        return 0
    run = partial(_scaled, x.reshape(-1), y.reshape(-1), words.factors(word, m, 0),
                  words.rule(shift, context.datapath.rounding, word, p["lo"], p["hi"]))
    return sum(in_order(run, box.parts(VALUES), context.threads))


def _scaled(x, y, factors, rule, box):
    """A part of an input, whose values lie side by side, scaled and then moved."""
    values = x[None, box.at:box.at + prod(box.counts)]
    made = np.empty(values.shape, y.dtype)
    changed = arithmetic.add(values, values, factors, rule, made)
    put(made[0], y, replace(box, at=0))
    return changed
