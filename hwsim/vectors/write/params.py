"""The parameters of the RTL that a layer needs, and the sets of layers that one build can run."""
from collections.abc import Mapping

import numpy as np

from hwsim.ops.epilogue import Folded
from hwsim.ops.weights import Log
from hwsim.vectors.write.vector_layer import MODES, VectorLayer

DEPTHS = ("NBIN_DEPTH", "SB_DEPTH", "FLAG_DEPTH", "TILE_DEPTH", "NBOUT_DEPTH")


def rtl_parameters(case: VectorLayer) -> dict[str, object]:
    """name -> value of the parameters of rtl/top.v that must match this layer exactly."""
    device, layer = case.device, case.layer
    return {"TN": device.TN, "TM": device.TM, "A": case.in_format.bits, "XS": int(case.in_format.signed),
            "AO": case.out_format.bits, "W": layer.weights.format.bits,
            "LOG": int(isinstance(layer.weights.format, Log)), "ACC": device.acc_bits,
            "SAT": int(device.acc_mode == "saturate"), "MB": device.mult_bits, "SB": device.shift_bits,
            "FOLD": int(isinstance(layer.epilogue.stage, Folded)), "MODE": MODES.index(device.round)}


def depths(case: VectorLayer) -> dict[str, int]:
    """name -> words that the memories must hold for this layer; a bank holds every second output tile."""
    layer, loops = case.layer, case.loops
    beats = [tile.beats for tile in case.cycles.tiles]
    return dict(zip(DEPTHS, (layer.in_hw[0] * layer.in_hw[1] * loops.in_words, max(sum(beats[::2]), sum(beats[1::2])),
                             int(np.prod(loops.flags.shape)) if layer.weights.format.flagged else 1, loops.cot,
                             layer.out_hw[0] * layer.out_hw[1] * loops.cot)))


class ParameterSets:
    """Layers grouped by equal RTL parameters; each group's memories are as deep as its largest layer, a power of two."""

    def __init__(self) -> None:
        self.sets: dict[tuple[tuple[str, object], ...], tuple[str, dict[str, int]]] = {}

    def add(self, case: VectorLayer) -> str:
        """The name (p0, p1, ...) of the set that runs this layer."""
        key = tuple(rtl_parameters(case).items())
        _, depth = self.sets.setdefault(key, (f"p{len(self.sets)}", {}))
        for name, words in depths(case).items():
            depth[name] = max(depth.get(name, 16), 1 << (words - 1).bit_length())
        return self.sets[key][0]

    def named(self) -> list[tuple[str, dict[str, object]]]:
        """[(name, {parameter: value})] in the order of first use."""
        return [(name, {**dict(key), **words}) for key, (name, words) in self.sets.items()]


def header(parameters: Mapping[str, object]) -> str:
    """The text of params.vh."""
    return "".join(f"`define HWSIM_{name} {value}\n" for name, value in parameters.items())
