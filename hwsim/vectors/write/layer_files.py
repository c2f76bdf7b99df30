"""The contents of a layer's folder, from a VectorLayer: which words, how wide, in which order (spec/vectors.md section 1)."""
import numpy as np

from hwsim.errors import HwsimError, OverflowFault
from hwsim.fixed.formats import ALPHA_BITS
from hwsim.hw.config import datapath
from hwsim.hw.layout import field_words, lane_words, sb_tiles
from hwsim.vectors.write import golden
from hwsim.vectors.write.csr import csr_words, transactions
from hwsim.vectors.write.events import write_trace
from hwsim.vectors.write.folder import HexFile, NpyFile, text_file
from hwsim.vectors.write.vector_layer import VectorLayer

BAND_VALUES = 1 << 20
PIXEL_LAYOUT = "(oy*OW+ox)*COT + cot"


def write_layer(work, folder, extras):
    """Writes the folder of one layer; returns its part of the manifest (without hw)."""
    folder.mkdir()
    words = csr_words(work)
    files = _stimulus(work, folder, extras)
    stats, expected = _expected(work, folder, extras)
    files += expected
    csr = HexFile(folder, "csr", 1, 32, False, "i-th entry of csr", extras)
    csr.write(np.array(list(words.values()), np.int64)[:, None])
    files += csr.close()
    text = transactions(words, work.cycles.total, stats["acc_overflow"])
    files += text_file(folder, "csr.txn", text, text.count("\n"))
    if extras.trace:
        files += write_trace(work, folder)
    return {**_description(work), "csr": words, "cycles": _cycles(work), "stats": stats,
            "files": sorted(files, key=lambda entry: entry["path"])}


def _description(work: VectorLayer) -> dict[str, object]:
    layer, loops = work.layer, work.loops
    kernel = list(map(int, layer.kernel))
    return {"id": work.rank, "name": work.name, "folder": work.folder, "op": work.op, "rowpack": work.rowpack,
            "in": _hwc(layer.in_hw, layer.ic), "out": _hwc(layer.out_hw, layer.oc), "k": kernel,
            "stride": list(layer.stride), "dilation": list(layer.dilation), "groups": layer.oc if layer.depthwise else 1,
            "pad": [int(p) for p in layer.pad], "pad_code": 0, "clamp": [int(layer.epilogue.lo), int(layer.epilogue.hi)],
            "cit": loops.in_words, "cot": loops.cot}


def _hwc(size, channels):
    return {"h": int(size[0]), "w": int(size[1]), "c": int(channels)}


def _cycles(work):
    c = work.cycles
    return {"total": c.total, "issue": c.issue, "stall": c.stall, "latency": c.latency,
            "per_cotile": [{"load": t.load, "start": t.start, "end": t.end} for t in c.tiles]}


def _stimulus(work, folder, extras):
    """Inputs, weights, flags and per-channel fields."""
    device, layer = work.device, work.layer
    files = _inputs(work, folder, extras)
    sb = HexFile(folder, "sb", device.TM * device.TN, layer.weights.format.bits, True, "issue order, lane m*TN + i", extras)
    for tile in sb_tiles(layer, work.loops, device.TN, device.TM):
        sb.write(tile)
    files += sb.close()
    for stem, (values, bits, signed) in _fields(work).items():
        file = HexFile(folder, stem, device.TM, bits, signed, "cot", extras)
        file.write(field_words(values, device.TM))
        files += file.close()
    if layer.weights.format.flagged:
        files += _column(folder, "flag", 1, "(cot,ky,kx,cit)", work.loops.flags.reshape(-1), extras)
    if device.dma_bits:
        files += _column(folder, "ldlen", 32, "cot", [tile.load for tile in work.cycles.tiles], extras)
    return files


def _column(folder, stem, bits, layout, values, extras):
    file = HexFile(folder, stem, 1, bits, False, layout, extras)
    file.write(np.asarray(values, np.int64)[:, None])
    return file.close()


def _inputs(work, folder, extras):
    layer, device = work.layer, work.device
    nbin = HexFile(folder, "nbin", device.TN, work.in_format.bits, work.in_format.signed, "(y*IW+x)*CIT + cit", extras)
    array = NpyFile(folder, "in", work.x.shape, np.dtype("<i4"))
    for first, last in _bands(layer.in_hw[0], layer.in_hw[1] * layer.ic):
        nbin.write(lane_words(work.x[first:last], device.TN))
        array.write(work.x[first:last])
    return nbin.close() + array.close()


def _fields(work: VectorLayer) -> dict[str, tuple]:
    """stem -> (values (OC), bits, signed) of the per-channel files."""
    epilogue, device = work.layer.epilogue, work.device
    multiplier, shift = (device.mult_bits + 1, True), (device.shift_bits, False)
    words = {"mpos": multiplier, "mneg": multiplier, "shift": shift,
             "alpha": (ALPHA_BITS, True), "m2": multiplier, "shift2": shift}
    return {"bias": (epilogue.bias, device.acc_bits, True)} | {
        stem: (values, *words[stem]) for stem, values in epilogue.stage.memories().items()}


def _expected(work, folder, extras):
    """(stats, manifest entries) of acc and out, computed and written band by band."""
    layer, device, path = work.layer, work.device, datapath(work.device)
    acc_hex = HexFile(folder, "acc", device.TM, device.acc_bits, True, PIXEL_LAYOUT, extras)
    out_hex = HexFile(folder, "out", device.TM, work.out_format.bits, work.out_format.signed, PIXEL_LAYOUT, extras)
    shape = (*layer.out_hw, layer.oc)
    acc_npy, out_npy = NpyFile(folder, "acc", shape, np.dtype("<i8")), NpyFile(folder, "out", shape, np.dtype("<i4"))
    events = clamped = 0
    for first, last in _bands(layer.out_hw[0], layer.out_hw[1] * max(layer.oc, layer.ic)):
        band = golden.band(layer, path, work.x, work.out_format, first, last)
        _check_band(work, band, first)
        events, clamped = events + band.events, clamped + band.clamped
        acc_hex.write(lane_words(band.acc, device.TM))
        out_hex.write(lane_words(band.out, device.TM))
        acc_npy.write(band.acc)
        out_npy.write(band.out)
    stats = {"sat_out": clamped, "acc_overflow": events, "two_word_tiles": work.cycles.two_word_tiles}
    return stats, acc_hex.close() + out_hex.close() + acc_npy.close() + out_npy.close()


def _check_band(work, band, first):
    """Two ways to the same bits: the engine that ran the network and this model must agree; mode error stays event-free."""
    if band.events and work.device.acc_mode == "error":
        raise OverflowFault(f"{work.name}: a set in mode error must be free of accumulator events, not hold {band.events}")
    expected = band.out if work.out is None else work.out[first:first + len(band.out)]
    wrong = np.argwhere(band.out != expected)
    if len(wrong):
        oy, ox, oc = (int(value) for value in wrong[0])
        raise HwsimError(f"{work.name}: engine and golden model must agree, not differ at oy={first + oy} ox={ox} oc={oc}: "
                         f"{expected[oy, ox, oc]} and {band.out[oy, ox, oc]}")


def _bands(rows, row_values):
    """(first, last) of bands of rows with about BAND_VALUES values."""
    step = max(1, BAND_VALUES // max(1, row_values))
    return [(first, min(rows, first + step)) for first in range(0, rows, step)]
