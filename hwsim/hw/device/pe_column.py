"""The PE columns: TM columns of TN multipliers, an adder tree and an accumulator each (spec/device.md section 3).

To change the arithmetic of the array, subclass PeColumns and override `multiply`, `add_tree` or `narrow`
(docs/changing-the-array.md).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.fixed.logcode import zero_exponent
from hwsim.fixed.narrow import saturate, wrap
from hwsim.hw.device.beat import Beat
from hwsim.hw.device.word import Register, Tag, WritePort
from hwsim.ops.weights import WeightFormat

if TYPE_CHECKING:
    from hwsim.hw.device.buffers import SB, NBin

NARROW = {Overflow.WRAP: wrap, Overflow.SATURATE: saturate, Overflow.ERROR: saturate}


class PeColumns:
    """Linear weights: a product is x * w.

    Registers: `products` (TM x TN), one cycle later `tree` (TM), one later `acc` (TM). Ports: `acc` with its `tag`.
    bias: (COT, TM). formats: of the inputs and the weights.
    real: real(cot, cit) -> how many of the TM*TN multipliers have a real input and output channel.
    Counters of the model: busy, idle (multiplier cycles), sums (accumulator words written).
    """

    nbin: NBin    # connected by the chip, as sb
    sb: SB

    def __init__(self, port: WritePort, bias: np.ndarray, formats: tuple[IntFormat, WeightFormat], datapath: Datapath,
                 real: Callable[[int, int], int]) -> None:
        self.port, self.bias, self.datapath, self.real = port, bias, datapath, real
        tm, tn = datapath.tm, datapath.tn
        product = self.product_format(*formats)
        self.products = Register("pe_column", "products", product, (tm, tn))
        self.tree = Register("pe_column", "tree", IntFormat(product.bits + (tn - 1).bit_length()), (tm,))
        self.acc = Register("pe_column", "acc", datapath.acc_format, (tm,))
        self.product_tag, self.tree_tag, self.tag = Tag("pe_column.products"), Tag("pe_column.tree"), Tag("pe_column.acc")
        self.busy, self.idle, self.sums = 0, 0, 0
        self.probe = Probe((bias.shape[0], tm))

    def product_format(self, x: IntFormat, w: WeightFormat) -> IntFormat:
        """The word of one product of an input code and a weight word."""
        return IntFormat(w.product_bits(x))

    def multiply(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        """The TM x TN products of TN inputs and TM x TN weight words."""
        products: np.ndarray = x * w
        return products

    def add_tree(self, products: np.ndarray) -> np.ndarray:
        """The TM exact sums of TN products each."""
        total: np.ndarray = products.sum(axis=1)
        return total

    def narrow(self, total: np.ndarray) -> np.ndarray:
        """The accumulator word of an exact sum: the overflow rule, once per beat."""
        return NARROW[self.datapath.acc_mode](total, self.datapath.acc_format)

    def step(self) -> None:
        """One cycle of all three stages."""
        self._multiply()
        self._add()
        self._accumulate()

    def _multiply(self) -> None:
        beat = self.nbin.tag.value
        self.port.pass_on(self.product_tag, beat)
        busy = 0 if beat is None else self.real(beat.cot, beat.cit)
        self.busy += busy
        self.idle += self.datapath.tm * self.datapath.tn - busy
        if beat is not None:
            self.port.write(self.products, self.multiply(self.nbin.q.value, self.sb.q.value))

    def _add(self) -> None:
        beat = self.product_tag.value
        self.port.pass_on(self.tree_tag, beat)
        if beat is not None:
            self.port.write(self.tree, self.add_tree(self.products.value))

    def _accumulate(self) -> None:
        beat = self.tree_tag.value
        self.port.pass_on(self.tag, beat)
        if beat is None:
            return
        self.sums += 1
        total = (self.bias[beat.cot] if beat.first else self.acc.value) + self.tree.value
        self.probe.see(beat, self.tree.value, total, self.datapath.acc_format)
        self.port.write(self.acc, self.narrow(total))


class LogPeColumns(PeColumns):
    """Log weights: a code q makes the product +-(x << (E-|q|)), no multiplier (spec/arithmetic.md section 5)."""

    def __init__(self, port: WritePort, bias: np.ndarray, formats: tuple[IntFormat, WeightFormat], datapath: Datapath,
                 real: Callable[[int, int], int]) -> None:
        self.exponent = zero_exponent(formats[1].bits)
        super().__init__(port, bias, formats, datapath, real)

    def multiply(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        """The TM x TN shifted inputs; code 0 makes 0."""
        shifted = x << (self.exponent - np.abs(w))
        return np.where(w > 0, shifted, np.where(w < 0, -shifted, 0))


class Probe:
    """What a monitor on the accumulators sees and no hardware holds: overflow events and the exact partial sums.

    events: (beat, column) pairs whose exact sum left the accumulator; first: (Beat, column, value) of the first one;
    least, most: (COT, TM) extremes of the exact partial sums, never wrapped or clipped.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.exact = np.zeros(shape[1], np.int64)
        self.least = np.full(shape, 1 << 62)
        self.most = np.full(shape, -(1 << 62))
        self.events = 0
        self.first: tuple[Beat, int, int] | None = None

    def see(self, beat: Beat, tree: np.ndarray, total: np.ndarray, fmt: IntFormat) -> None:
        """One beat: its TM tree sums, and total, what the accumulators would hold if they were wider than `fmt`."""
        self.exact = total if beat.first else self.exact + tree
        np.minimum(self.least[beat.cot], self.exact, out=self.least[beat.cot])
        np.maximum(self.most[beat.cot], self.exact, out=self.most[beat.cot])
        outside = (total < fmt.min) | (total > fmt.max)
        if not outside.any():
            return
        self.events += int(outside.sum())
        if self.first is None:
            column = int(outside.argmax())
            self.first = (beat, column, int(total[column]))
