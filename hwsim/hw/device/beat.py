"""A beat: what the array does in one cycle, as control bits that travel down the pipeline with it (spec/device.md section 2)."""
from typing import NamedTuple


class Beat(NamedTuple):
    """One input word times one weight word, added to TM accumulators.

    x_address, w_address: NBin word (-1 outside the image: zeros) and SB word of its tile; out_address: NBout word of its pixel;
    first, last: of its pixel; cot ... word: the loop counters at which it stands.
    """

    x_address: int
    w_address: int
    first: bool
    last: bool
    out_address: int
    cot: int
    oy: int
    ox: int
    ky: int
    kx: int
    cit: int
    word: int
