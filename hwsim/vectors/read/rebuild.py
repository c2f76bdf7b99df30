"""The VectorLayer that a layer's files describe: the inverse of writing them, from the files alone."""
from __future__ import annotations

import numpy as np

from hwsim.errors import FileError
from hwsim.hw.config import Device
from hwsim.hw.costs.cycles import array_cycles
from hwsim.ops.dims import ceil_div
from hwsim.ops.epilogue import Epilogue
from hwsim.ops.geometry import Geometry
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Weights
from hwsim.vectors.read.vectorset import LayerFiles
from hwsim.vectors.write.vector_layer import VectorLayer


def device_of(files: LayerFiles) -> Device:
    """The Device of a layer of a set."""
    hw = files.hw
    return Device(**{key: hw[key] for key in ("TN", "TM", "act_bits", "w_bits", "w_format", "acc_bits", "acc_mode", "mult_bits",
                                              "shift_bits", "round", "prelu", "dma_bits")})


def rebuild(files: LayerFiles) -> VectorLayer:
    """The VectorLayer of a LayerFiles; FileError where the files contradict the manifest."""
    entry, device = files.entry, device_of(files)
    depthwise, kernel = entry["op"] == "dwconv", tuple(entry["k"])
    ic, oc = entry["in"]["c"], entry["out"]["c"]
    flags = _flags(files, depthwise, kernel)
    codes = _codes(files, depthwise, kernel, flags, device)
    geometry = Geometry(stride=tuple(entry["stride"]), dilation=tuple(entry["dilation"]), pad=tuple(entry["pad"]),
                        in_hw=(entry["in"]["h"], entry["in"]["w"]), out_hw=files.out_hw, depthwise=depthwise)
    layer = ArrayLayer(name=entry["name"], suffix="", geometry=geometry, weights=Weights(codes, files.weight_format, flags),
                       epilogue=_epilogue(files, oc))
    if layer.ic != ic:
        raise FileError(f"{files.folder}: sb.hex must hold weights of {ic} input channels, not {layer.ic}")
    x = np.array(files.array("in"))
    if x.min(initial=0) not in files.in_format or x.max(initial=0) not in files.in_format:
        raise FileError(f"{files.folder}/in.npy: codes must be {files.in_format}, not {x.min()}..{x.max()}")
    return VectorLayer(number=entry["id"], layer=layer, rowpack=entry["rowpack"], x=x, out=None, in_format=files.in_format,
                       out_format=files.out_format, device=device, cycles=array_cycles(layer, device))


def _epilogue(files: LayerFiles, oc: int) -> Epilogue:
    def values(stem: str) -> np.ndarray:
        return files.values(stem).reshape(-1)[:oc]
    stage = files.stage.from_fields({name: values(stem) for name, stem in files.stage.stems().items()})
    return Epilogue(values("bias"), (stage,), *files.entry["clamp"])


def beats_of_taps(files: LayerFiles) -> int:
    """Input words that a tile reads per tap: CIT, or for a depthwise layer those of its own channels."""
    return int(files.entry["csr"]["CIT"])


def _flags(files: LayerFiles, depthwise: bool, kernel: tuple[int, int]) -> np.ndarray | None:
    """(COT,CIT,KH,KW) bool, or None where the weights' format has none."""
    if not files.weight_format.flagged:
        return None
    flags = files.values("flag").reshape(files.entry["cot"], *kernel, beats_of_taps(files)).astype(bool)
    flags = flags.transpose(0, 3, 1, 2)
    return flags[:, :1] if depthwise else flags


def tile_words(files: LayerFiles) -> list[np.ndarray]:
    """Per output tile its words of sb.hex, int64 (W_t, TM, TN), in issue order. Errors: FileError for another count."""
    words = files.values("sb").reshape(-1, files.tm, files.tn)
    tiles, taps = files.entry["cot"], files.entry["k"][0] * files.entry["k"][1] * beats_of_taps(files)
    beats = [taps] * tiles
    if files.weight_format.flagged:
        beats = (taps + files.values("flag").reshape(tiles, -1).sum(1)).tolist()
    if sum(beats) != len(words):
        raise FileError(f"{files.folder}/sb.hex: must have {sum(beats)} words, not {len(words)}")
    return np.split(words, np.cumsum(beats)[:-1])


def _codes(files: LayerFiles, depthwise: bool, kernel: tuple[int, int], flags: np.ndarray | None, device: Device) -> np.ndarray:
    """(WORDS,OC,KH,KW,IC) weight codes, depthwise (WORDS,C,KH,KW,1)."""
    ic, oc, per_tap = files.entry["in"]["c"], files.entry["out"]["c"], beats_of_taps(files)
    words_each = 1 if flags is None else 2
    codes = np.zeros((words_each, files.entry["cot"] * device.TM, *kernel, ceil_div(ic, device.TN) * device.TN), np.int64)
    for cot, words in enumerate(tile_words(files)):
        rest, rows = iter(words), slice(cot * device.TM, (cot + 1) * device.TM)
        for ky, kx, cit in np.ndindex(*kernel, per_tap):
            first = cot * device.TM // device.TN if depthwise else 0
            lanes = slice((first + cit) * device.TN, (first + cit + 1) * device.TN)
            for word in range(1 if flags is None else 1 + int(flags[cot, 0 if depthwise else cit, ky, kx])):
                block = next(rest)
                if lanes.start < codes.shape[4]:
                    codes[word, rows, ky, kx, lanes] = block
    if depthwise:
        own = np.minimum(np.arange(oc), codes.shape[4] - 1)
        return np.ascontiguousarray(codes[:, np.arange(oc), :, :, own].transpose(1, 0, 2, 3)[..., None])
    return codes[:, :oc, ..., :ic]
