"""One ordinary convolution as the array runs it: the unit that engines, device, vectors and RTL speak of.

Grouped layers, transposed ones and dense ones are cut into these (ops/cut.py); nothing else reaches the array.
"""
from dataclasses import dataclass

import numpy as np

from hwsim.fixed import logcode


@dataclass(frozen=True, eq=False)
class ArrayLayer:
    """An ordinary or depthwise convolution with its integer parameters; arrays are int64 and read-only.

    codes (WORDS,OC,KH,KW,IC), depthwise (WORDS,C,KH,KW,1); bias, m_pos, m_neg, shift (OC), alpha_q, m2, shift2 (OC) or None.
    pad = (top, bottom, left, right), concrete, may be negative for a transposed phase.
    in_hw, out_hw: rows and columns; a phase's out_hw may be smaller than what its window allows.
    flags: bool (COT,CIT,KH,KW) two-word tiles, or None.
    """

    name: str
    suffix: str            # "" | ".g0" ... | ".p00" ...
    depthwise: bool
    codes: np.ndarray
    bias: np.ndarray
    m_pos: np.ndarray
    m_neg: np.ndarray
    shift: np.ndarray
    alpha_q: np.ndarray | None
    m2: np.ndarray | None
    shift2: np.ndarray | None
    lo: int
    hi: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int, int, int]
    in_hw: tuple[int, int]
    out_hw: tuple[int, int]
    w_format: str = "linear"
    w_bits: int = 8
    flags: np.ndarray | None = None
    rowpack: bool = False

    @property
    def oc(self):
        return self.codes.shape[1]

    @property
    def ic(self):
        return self.oc if self.depthwise else self.codes.shape[4]

    @property
    def kernel(self):
        return self.codes.shape[2:4]

    @property
    def words(self):
        return self.codes.shape[0]


def integer_weights(codes, w_format, w_bits):
    """The integer weights (same shape) that weight codes stand for: the codes themselves, or signed powers of two."""
    if w_format == "linear":
        return codes
    low = -(1 << (w_bits - 1))
    table = np.array([logcode.integer_weight(q, w_bits) for q in range(low, -low)], np.int64)
    return table[codes - low]
