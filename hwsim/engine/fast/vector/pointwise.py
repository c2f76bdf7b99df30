"""Operators on one tensor, value by value."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwsim.engine.context import Context, Inputs, Output
from hwsim.engine.fast.portable import pointwise
from hwsim.engine.fast.storage_type import storage_type
from hwsim.engine.fast.vector import arithmetic, moving, words
from hwsim.engine.fast.vector.sweep import VALUES, elementwise, pieces
from hwsim.engine.host.memory import ARENA
from hwsim.engine.host.threads import in_order
from hwsim.engine.result import LayerStats
from hwsim.fixed.formats import Rounding
from hwsim.graph.node import Node

REPEAT = 1 << 9      # values of fields per channel that are laid side by side: they stay in the first cache
CODES = 1 << 16      # entries of a table for every value of 16 bits


def identity(node: Node, inputs: Inputs, context: Context) -> Output:
    """The input itself, not a copy."""
    return inputs[0], LayerStats()


def prelu(node: Node, inputs: Inputs, context: Context) -> Output:
    """x * (m_pos or, below 0, m_neg) rounded by `shift` and clamped; fields per channel or per value of an image."""
    (x,), p, rounding = inputs, node.params, context.datapath.rounding
    factor = max(1, int(np.abs(p["m_pos"]).max()), int(np.abs(p["m_neg"]).max()))
    word = words.word_of(factor * context.in_formats[0].largest, p["shift"].max(), rounding)
    if word is None:
        return pointwise.prelu(node, inputs, context)
    fields, ends = _fields(p, x.shape), words.factors(word, p["lo"], p["hi"])
    y = ARENA.empty(x.shape, storage_type(node, inputs, context))
    length = fields[0].size
    values, target = x.reshape(-1), y.reshape(-1)

    def run(part: slice) -> int:
        here = _laid_out(fields, part, length, rounding, word)
        return arithmetic.prelu(values[part], here, ends, target[part])
    return y, LayerStats(clamped=int(sum(in_order(run, _parts(x.size, length), context.threads))))


def _fields(p: Mapping[str, Any], shape: tuple[int, ...]) -> list[np.ndarray]:
    """m_pos, m_neg and shift, flat and of one length: per channel, or per value of an image."""
    given = [p[name] for name in ("m_pos", "m_neg", "shift")]
    joint = np.broadcast_shapes(*(field.shape for field in given))
    return [np.broadcast_to(field, joint).ravel() for field in given]


def _parts(size: int, length: int) -> list[slice]:
    """Slices of the values: whole repetitions of short fields, or parts of one repetition of long ones."""
    if length <= VALUES:
        return pieces(size, VALUES // length * length)
    return [slice(at + part.start, at + part.stop) for at in range(0, size, length) for part in pieces(length, VALUES)]


def _laid_out(fields: Sequence[np.ndarray], part: slice, length: int, rounding: Rounding,
              word: type[np.signedinteger[Any]]) -> np.ndarray:
    """(6,L) of the word, to be repeated along the values of `part`: m_pos, m_neg, half, look, mask, shift."""
    # short fields are tiled to REPEAT values, so that the inner loop is long; long ones (per pixel) are cut like the values
    if length > VALUES:
        at = part.start % length
        m_pos, m_neg, shift = (field[at:at + part.stop - part.start] for field in fields)
    else:
        m_pos, m_neg, shift = (np.tile(field, max(1, REPEAT // length)) for field in fields)
    return np.stack([m_pos, m_neg, *words.rounding_of(shift, rounding, word), shift]).astype(word)


def table(node: Node, inputs: Inputs, context: Context) -> Output:
    """y = table[x]: the table is laid out for the low 16 bits of a code, so that no code has to be moved to start at 0."""
    # CODES - 1 as a mask puts negative codes into the upper half, where the pass finds them as unsigned 16-bit numbers
    fmt = context.in_formats[0]
    # more codes than 16 bits tell apart: two of them would share an entry
    if fmt.max - fmt.min >= CODES or fmt.max >= CODES:
        return pointwise.table(node, inputs, context)
    entries = np.zeros(CODES, storage_type(node, inputs, context))
    entries[np.arange(fmt.min, fmt.max + 1) & CODES - 1] = node.params["table"]

    def run(parts: Sequence[np.ndarray], y: np.ndarray) -> int:
        moving.table(parts[0][0], entries, y[0])
        return 0
    return elementwise(node, inputs, context, run)[0], LayerStats()
