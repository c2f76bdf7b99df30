"""A layer's configuration words and the session that programs them: csr.hex, csr.txn (spec/vectors.md rule 4.3; rtl/csr.v)."""
from collections.abc import Mapping

from hwsim.ops.weights import Log
from hwsim.vectors.write.vector_layer import VectorLayer

CTRL, STATUS, CYCLES, CYCLES_HIGH, EVENTS = 0x80, 0x84, 0x88, 0x8c, 0x90
FULL = 0xffffffff


def csr_words(case: VectorLayer) -> dict[str, int]:
    """name -> 32-bit word, in the order of csr.hex: the loop bounds, address steps, padding and clamp of one layer."""
    layer, loops, device = case.layer, case.loops, case.device
    (sy, sx), (dy, dx), (top, _, left, _) = layer.stride, layer.dilation, layer.pad
    row, words = layer.in_hw[1] * loops.in_words, loops.in_words
    flags = layer.depthwise | isinstance(layer.weights.format, Log) << 1 | (device.dma_bits > 0) << 2
    values = {
        "CFG": flags, "COT": loops.cot, "OH": layer.out_hw[0], "OW": layer.out_hw[1],
        "KH": layer.kernel[0], "KW": layer.kernel[1], "CIT": loops.cit, "IH": layer.in_hw[0], "IW": layer.in_hw[1],
        "STRIDE_Y": sy, "STRIDE_X": sx, "DIL_Y": dy, "DIL_X": dx, "PAD_TOP": top, "PAD_LEFT": left,
        "BASE": -top * row - left * words, "STEP_KX": dx * words, "STEP_KY": dy * row,
        "STEP_OX": sx * words, "STEP_OY": sy * row, "STEP_COT": max(1, device.TM // device.TN) if layer.depthwise else 0,
        "WORDS": words, "OC_TAIL": layer.oc - (loops.cot - 1) * device.TM, "LO": layer.epilogue.lo, "HI": layer.epilogue.hi}
    return {name: value & FULL for name, value in values.items()}


def transactions(words: Mapping[str, int], cycles: int, events: int) -> str:
    """The text of csr.txn: writes, start, wait, and the reads that must show the cycles and the overflow events.

    addr, data, mask and expect are 8 hex digits, the wait's limit is decimal.
    """
    lines = [f"W {4 * index:08x} {value:08x} # {name}" for index, (name, value) in enumerate(words.items())]
    lines += ["START", f"WAITDONE {2 * cycles + 1000}"]
    reads = ((STATUS, 2, 2), (CYCLES, FULL, cycles & FULL), (CYCLES_HIGH, FULL, cycles >> 32), (EVENTS, FULL, events & FULL))
    lines += [f"R {address:08x} {mask:08x} {expect:08x}" for address, mask, expect in reads]
    return "\n".join(lines) + "\n"
