"""Where the window of an array layer lies: image sizes, steps and padding, no weights."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Geometry:
    """All pairs are (rows, columns).

    pad:       (top, bottom, left, right), concrete; may be negative for a transposed phase
    out_hw:    may be smaller than what the window allows, for a transposed phase
    depthwise: output channel c reads input channel c alone
    rowpack:   the KW*IC inputs of a kernel row are packed into whole words (hw/rowpack.py)
    """

    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int, int, int]
    in_hw: tuple[int, int]
    out_hw: tuple[int, int]
    depthwise: bool = False
    rowpack: bool = False

    @property
    def pixels(self) -> int:
        """Output pixels of an image."""
        return self.out_hw[0] * self.out_hw[1]
