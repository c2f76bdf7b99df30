"""A case of a vector set: one ordinary layer, its input, its widths and its cycles (spec/vectors.md section 2)."""
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import UnsupportedError, UsageError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.hw.config import Device, datapath
from hwsim.hw.costs.cycles import ArrayCycles, array_cycles
from hwsim.hw.device.trace import file_stem
from hwsim.hw.layout import LoopBounds, check_bank, loops_of
from hwsim.hw.rowpack import pack_input, pack_layer
from hwsim.ops.layer import ArrayLayer

MODES = ("half-up", "half-away", "half-even", "floor")


@dataclass(frozen=True, eq=False)
class VectorLayer:
    """A layer with its stimulus.

    number: counts array nodes; groups and phases share theirs; layer: as the array runs it, rowpack already packed;
    x (IH,IW,IC) its input codes; out (OH,OW,OC) an engine's output codes or None.
    """

    number: int
    layer: ArrayLayer
    rowpack: bool
    x: np.ndarray
    out: np.ndarray | None
    in_format: IntFormat
    out_format: IntFormat
    device: Device
    cycles: ArrayCycles

    @property
    def datapath(self) -> Datapath:
        """The widths and rules of the device, its acc_bits a number."""
        return datapath(self.device)

    @property
    def name(self) -> str:
        """The layer's name, with the suffix of its group or phase."""
        return self.layer.full_name

    @property
    def folder(self) -> str:
        """The name of its folder in a set: L000_<name>."""
        return file_stem(self.number, self.name)

    @property
    def op(self) -> str:
        """The manifest's op: dwconv, fc or conv."""
        if self.layer.depthwise:
            return "dwconv"
        return "fc" if self.layer.in_hw == (1, 1) == tuple(self.layer.kernel) else "conv"

    @property
    def loops(self) -> LoopBounds:
        """Bounds of the device's loops."""
        return loops_of(self.layer, self.device.TN, self.device.TM)


def make_vector_layer(number: int, layer: ArrayLayer, x: np.ndarray, out: np.ndarray | None, formats: tuple[IntFormat, IntFormat],
                      device: Device) -> VectorLayer:
    """The VectorLayer of an ArrayLayer.

    x, out: codes of one image, int64 (IH,IW,IC) and (OH,OW,OC) or None; formats: (input, output) IntFormat; device: TN, TM,
    rules and dma_bits, its acc_bits settled. Errors: UnsupportedError for what the array or the file format cannot hold.
    """
    packed, name = pack_layer(layer, device.TN), layer.full_name
    case = VectorLayer(number=number, layer=packed, rowpack=layer.rowpack, x=pack_input(layer, x), out=out, in_format=formats[0],
                       out_format=formats[1], device=device, cycles=array_cycles(layer, device))
    if device.round not in MODES:
        raise UnsupportedError(f"{name}: rounding must be one of {', '.join(MODES)} in a vector set, not {device.round}")
    _check_fields(case, name)
    _check_sizes(packed, name)
    tile = max(tile.beats for tile in case.cycles.tiles)
    check_bank(name, tile * device.sb_word_bits(layer.weights.format.bits), device)
    return case


def _check_fields(case: VectorLayer, name: str) -> None:
    """Every shift fits its field."""
    limit = 1 << case.device.shift_bits
    for stem, values in case.layer.epilogue.stage.memories().items():
        if stem in ("shift", "shift2") and values.max(initial=0) >= limit:
            raise UnsupportedError(f"{name}: shift_bits must hold shift {values.max()}, not be {case.device.shift_bits}")


def _check_sizes(layer: ArrayLayer, name: str) -> None:
    """Every size fits 16 bits."""
    sizes = (*layer.in_hw, *layer.out_hw, *layer.kernel, *layer.stride, *layer.dilation, layer.oc, layer.ic)
    if max(sizes) > 65535 or max(map(abs, layer.pad)) > 65535:
        raise UnsupportedError(f"{name}: sizes of an array layer must be at most 65535, not {max(sizes)}")


def hw_of(case: VectorLayer) -> dict[str, object]:
    """The `hw` keys of a layer; act_signed, out_bits and out_signed only where they are not true, act_bits and true."""
    device, layer = case.device, case.layer
    common: dict[str, object] = {
        "TN": device.TN, "TM": device.TM, "act_bits": case.in_format.bits, "w_bits": layer.weights.format.bits,
        "w_format": layer.weights.format.name, "acc_bits": device.acc_bits, "acc_mode": device.acc_mode,
        "mult_bits": device.mult_bits, "shift_bits": device.shift_bits, "prelu": layer.epilogue.stage.name,
        "round": device.round, "dma_bits": device.dma_bits}
    extra = {"act_signed": (case.in_format.signed, True), "out_bits": (case.out_format.bits, case.in_format.bits),
             "out_signed": (case.out_format.signed, True)}
    return common | {key: value for key, (value, usual) in extra.items() if value != usual}


def common_hw(each: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The set's hw: per key the value that most layers have, the first of equals."""
    keys = [key for key in each[0] if key not in ("act_signed", "out_bits", "out_signed")]
    return {key: Counter(hw[key] for hw in each).most_common(1)[0][0] for key in keys}


def cropped(case: VectorLayer, max_words: int) -> VectorLayer:
    """The VectorLayer with fewer output rows, so that no file of the layer's pixels has more than `max_words` words.

    Whole rows are dropped from the bottom. Errors: UsageError for a single row that is too long.
    """
    layer, cit, cot = case.layer, case.loops.in_words, case.loops.cot
    rows = min(layer.out_hw[0], max_words // (layer.out_hw[1] * cot))
    while rows > 0 and _input_rows(layer, rows) * layer.in_hw[1] * cit > max_words:
        rows -= 1
    if rows < 1:
        least = max(layer.out_hw[1] * cot, _input_rows(layer, 1) * layer.in_hw[1] * cit)
        raise UsageError(f"{case.name}: --max-words must be at least {least}, one output row and its input, not {max_words}")
    if rows == layer.out_hw[0]:
        return case
    height = _input_rows(layer, rows)
    top, _, left, right = layer.pad
    bottom = (rows - 1) * layer.stride[0] + (layer.kernel[0] - 1) * layer.dilation[0] + 1 - top - height
    smaller = layer.reshaped(out_hw=(rows, layer.out_hw[1]), in_hw=(height, layer.in_hw[1]), pad=(top, bottom, left, right))
    return replace(case, layer=smaller, x=case.x[:height], out=None if case.out is None else case.out[:rows],
                   cycles=array_cycles(smaller, case.device))


def _input_rows(layer: ArrayLayer, rows: int) -> int:
    """Input rows that the first `rows` output rows read, at least 1."""
    last = (rows - 1) * layer.stride[0] + (layer.kernel[0] - 1) * layer.dilation[0] - layer.pad[0]
    return min(layer.in_hw[0], max(1, last + 1))
