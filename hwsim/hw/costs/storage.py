"""Weight storage of a layer, and the accounting of the literature beside it (spec/arithmetic.md section 5)."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwsim.graph.node import Node
from hwsim.hw.config import Device
from hwsim.ops.dims import ceil_div
from hwsim.ops.weights import Weights

EDGE_BITS, FLOAT_BITS = 8, 32


@dataclass(frozen=True)
class Storage:
    """weights: how many; second: those with a second word; word_bits: N or W; flag_bits: one per tile of log weights."""

    weights: int
    second: int
    word_bits: int
    flag_bits: int

    @property
    def bits(self) -> int:
        """All of them: the words and the flags."""
        return (self.weights + self.second) * self.word_bits + self.flag_bits


def storage_of(node: Node, device: Device) -> Storage:
    """The Storage of an integer array node."""
    weights = Weights.from_fields(node.params)
    _, oc, kh, kw, ic = weights.codes.shape
    tiles = ceil_div(oc, device.TM) * ceil_div(ic, device.TN) * kh * kw
    return Storage(weights=oc * weights.taps, second=_second(weights, device), word_bits=weights.format.bits,
                   flag_bits=tiles if weights.format.flagged else 0)


def _second(weights: Weights, device: Device) -> int:
    """Weights of two-word tiles; chosen per element, those whose second word is not 0."""
    if weights.words == 1:
        return 0
    (_, oc, _, _, ic), flags = weights.codes.shape, weights.flags
    if flags is None:
        return int(np.count_nonzero(weights.codes[1]))
    rows = np.minimum(device.TM, oc - device.TM * np.arange(flags.shape[0]))
    lanes = np.minimum(device.TN, ic - device.TN * np.arange(flags.shape[1]))
    return int((flags * rows[:, None, None, None] * lanes[None, :, None, None]).sum())


def literature_words(middle: int, edges: int, table_width: int, ratio: Fraction | int | str) -> Fraction:
    """Parameters in 32-bit words as papers on log weights count them, an exact ratio.

    middle: weights of the inner layers, table_width + 1 bits per word, a fraction `ratio` of them with two words; edges: weights
    of the first convolution, the classifier and a segmentation head, 8 bits each. Biases, batch norm and flags are not counted.
    """
    words = middle * (1 + Fraction(str(ratio)))
    return (words * (table_width + 1) + edges * EDGE_BITS) * Fraction(1, FLOAT_BITS)


def literature_of(storages: Sequence[Storage]) -> list[Fraction]:
    """The literature_words of every layer of a network with log weights, in order: its first and last layers are the edges."""
    last = len(storages) - 1
    return [literature_words(0, s.weights, s.word_bits - 1, 0) if place in (0, last) else
            literature_words(s.weights, 0, s.word_bits - 1, Fraction(s.second, s.weights)) for place, s in enumerate(storages)]
