"""The VectorLayer that a layer's files describe: the inverse of writing them, from the files alone."""
import numpy as np

from hwsim.errors import FileError
from hwsim.hw.config import Device
from hwsim.hw.costs.cycles import array_cycles
from hwsim.hw.layout import ceil_div
from hwsim.ops.layer import ArrayLayer
from hwsim.vectors.write.vector_layer import VectorLayer


def device_of(files):
    """The Device of a layer of a set."""
    hw = files.hw
    return Device(**{key: hw[key] for key in ("TN", "TM", "act_bits", "w_bits", "w_format", "acc_bits", "acc_mode", "mult_bits",
                                              "shift_bits", "round", "prelu", "dma_bits")})


def rebuild(files):
    """The VectorLayer of a LayerFiles; FileError where the files contradict the manifest."""
    entry, device = files.entry, device_of(files)
    depthwise, kernel = entry["op"] == "dwconv", tuple(entry["k"])
    ic, oc = entry["in"]["c"], entry["out"]["c"]
    flags = _flags(files, depthwise, kernel, device)
    codes = _codes(files, depthwise, kernel, flags, device)
    fields = {name: files.values(stem).reshape(-1)[:oc] if stem else None for name, stem in _stems(files).items()}
    layer = ArrayLayer(entry["name"], "", depthwise, codes, lo=entry["clamp"][0], hi=entry["clamp"][1],
                       stride=tuple(entry["stride"]), dilation=tuple(entry["dilation"]), pad=tuple(entry["pad"]),
                       in_hw=(entry["in"]["h"], entry["in"]["w"]), out_hw=files.out_hw, w_format=device.w_format,
                       w_bits=device.w_bits, flags=flags, **fields)
    if layer.ic != ic:
        raise FileError(f"{files.folder}: sb.hex must hold weights of {ic} input channels, not {layer.ic}")
    x = np.array(files.array("in"))
    if x.min(initial=0) not in files.in_format or x.max(initial=0) not in files.in_format:
        raise FileError(f"{files.folder}/in.npy: codes must be {files.in_format}, not {x.min()}..{x.max()}")
    return VectorLayer(entry["id"], layer, entry["rowpack"], x, None, files.in_format, files.out_format, device,
                array_cycles(layer, device))


def _stems(files):
    unfolded = not files.folded
    return {"bias": "bias", "m_pos": "mpos", "m_neg": "mneg", "shift": "shift", "alpha_q": "alpha" if unfolded else None,
            "m2": "m2" if unfolded else None, "shift2": "shift2" if unfolded else None}


def beats_of_taps(files):
    """Input words that a tile reads per tap: CIT, or for a depthwise layer those of its own channels."""
    return files.entry["csr"]["CIT"]


def _flags(files, depthwise, kernel, device):
    """(COT,CIT,KH,KW) bool, or None for linear weights."""
    if device.w_format == "linear":
        return None
    flags = files.values("flag").reshape(files.entry["cot"], *kernel, beats_of_taps(files)).astype(bool)
    flags = flags.transpose(0, 3, 1, 2)
    return flags[:, :1] if depthwise else flags


def tile_words(files):
    """Per output tile its words of sb.hex, int64 (W_t, TM, TN), in issue order."""
    words = files.values("sb").reshape(-1, files.tm, files.tn)
    tiles, taps = files.entry["cot"], files.entry["k"][0] * files.entry["k"][1] * beats_of_taps(files)
    beats = [taps] * tiles
    if files.hw["w_format"] == "stlq":
        beats = (taps + files.values("flag").reshape(tiles, -1).sum(1)).tolist()
    if sum(beats) != len(words):
        raise FileError(f"{files.folder}/sb.hex: must have {sum(beats)} words, not {len(words)}")
    return np.split(words, np.cumsum(beats)[:-1])


def _codes(files, depthwise, kernel, flags, device):
    """(WORDS,OC,KH,KW,IC) weight codes, depthwise (WORDS,C,KH,KW,1)."""
    ic, oc, per_tap = files.entry["in"]["c"], files.entry["out"]["c"], beats_of_taps(files)
    two = flags is not None
    codes = np.zeros((1 + two, files.entry["cot"] * device.TM, *kernel, ceil_div(ic, device.TN) * device.TN), np.int64)
    for cot, words in enumerate(tile_words(files)):
        rest, rows = iter(words), slice(cot * device.TM, (cot + 1) * device.TM)
        for ky, kx, cit in np.ndindex(*kernel, per_tap):
            first = cot * device.TM // device.TN if depthwise else 0
            lanes = slice((first + cit) * device.TN, (first + cit + 1) * device.TN)
            for word in range(1 + (two and bool(flags[cot, 0 if depthwise else cit, ky, kx]))):
                block = next(rest)
                if lanes.start < codes.shape[4]:
                    codes[word, rows, ky, kx, lanes] = block
    if depthwise:
        own = np.minimum(np.arange(oc), codes.shape[4] - 1)
        return np.ascontiguousarray(codes[:, np.arange(oc), :, :, own].transpose(1, 0, 2, 3)[..., None])
    return codes[:, :oc, ..., :ic]
