"""The contents of a layer's folder, from a VectorLayer: which words, how wide, in which order (spec/vectors.md section 1)."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, OverflowFault
from hwsim.fixed.formats import ALPHA_BITS
from hwsim.hw.layout import field_words, lane_words, sb_tiles
from hwsim.vectors.write import golden
from hwsim.vectors.write.csr import csr_words, transactions
from hwsim.vectors.write.events import write_trace
from hwsim.vectors.write.folder import Extras, Lanes, LayerFolder
from hwsim.vectors.write.vector_layer import VectorLayer

BAND_VALUES = 1 << 20
PIXEL_LAYOUT = "(oy*OW+ox)*COT + cot"


def write_layer(case: VectorLayer, path: Path, extras: Extras) -> dict[str, Any]:
    """Writes the new folder of one layer; returns its part of the manifest (without hw).

    Errors: HwsimError where the engine's outputs differ from the golden model's, OverflowFault for accumulator events in
    mode error.
    """
    folder, words = LayerFolder(path, extras), csr_words(case)
    _write_stimulus(case, folder)
    stats = _write_expected(case, folder)
    folder.words("csr", _column(list(words.values())), Lanes(1, 32, False), "i-th entry of csr")
    folder.text("csr.txn", transactions(words, case.cycles.total, stats["acc_overflow"]))
    if extras.trace:
        write_trace(case, folder)
    return {**_description(case), "csr": words, "cycles": _cycles(case), "stats": stats,
            "files": sorted(folder.entries, key=lambda entry: str(entry["path"]))}


def _description(case: VectorLayer) -> dict[str, object]:
    layer, loops = case.layer, case.loops
    kernel = list(map(int, layer.kernel))
    return {"id": case.number, "name": case.name, "folder": case.folder, "op": case.op, "rowpack": case.rowpack,
            "in": _hwc(layer.in_hw, layer.ic), "out": _hwc(layer.out_hw, layer.oc), "k": kernel,
            "stride": list(layer.stride), "dilation": list(layer.dilation), "groups": layer.oc if layer.depthwise else 1,
            "pad": [int(p) for p in layer.pad], "pad_code": 0, "clamp": [int(layer.epilogue.lo), int(layer.epilogue.hi)],
            "cit": loops.in_words, "cot": loops.cot}


def _hwc(size: tuple[int, int], channels: int) -> dict[str, int]:
    return {"h": int(size[0]), "w": int(size[1]), "c": int(channels)}


def _cycles(case: VectorLayer) -> dict[str, object]:
    c = case.cycles
    return {"total": c.total, "issue": c.issue, "stall": c.stall, "latency": c.latency,
            "per_cotile": [{"load": t.load, "start": t.start, "end": t.end} for t in c.tiles]}


def _write_stimulus(case: VectorLayer, folder: LayerFolder) -> None:
    """Inputs, weights, flags, per-channel fields and load cycles."""
    device, layer = case.device, case.layer
    _write_inputs(case, folder)
    with folder.hex("sb", Lanes(device.TM * device.TN, layer.weights.format.bits, True), "issue order, lane m*TN + i") as sb:
        for tile in sb_tiles(layer, case.loops, device.TN, device.TM):
            sb.write(tile)
    for stem, (values, lanes) in _fields(case).items():
        folder.words(stem, field_words(values, device.TM), lanes, "cot")
    if layer.weights.format.flagged:
        folder.words("flag", _column(case.loops.flags), Lanes(1, 1, False), "(cot,ky,kx,cit)")
    if device.dma_bits:
        folder.words("ldlen", _column([tile.load for tile in case.cycles.tiles]), Lanes(1, 32, False), "cot")


def _column(values: np.ndarray | list[int]) -> np.ndarray:
    """Values as words of one lane, int64 (N, 1)."""
    return np.asarray(values, np.int64).reshape(-1, 1)


def _write_inputs(case: VectorLayer, folder: LayerFolder) -> None:
    layer, lanes = case.layer, Lanes(case.device.TN, case.in_format.bits, case.in_format.signed)
    with folder.hex("nbin", lanes, "(y*IW+x)*CIT + cit") as nbin, folder.npy("in", case.x.shape, "<i4") as array:
        for first, last in _bands(layer.in_hw[0], layer.in_hw[1] * layer.ic):
            nbin.write(lane_words(case.x[first:last], lanes.count))
            array.write(case.x[first:last])


def _fields(case: VectorLayer) -> dict[str, tuple[np.ndarray, Lanes]]:
    """stem -> (values (OC), word) of the per-channel files."""
    epilogue, device = case.layer.epilogue, case.device
    multiplier, shift = Lanes(device.TM, device.mult_bits + 1, True), Lanes(device.TM, device.shift_bits, False)
    words = {"mpos": multiplier, "mneg": multiplier, "shift": shift,
             "alpha": Lanes(device.TM, ALPHA_BITS, True), "m2": multiplier, "shift2": shift}
    return {"bias": (epilogue.bias, Lanes(device.TM, case.datapath.acc_bits, True))} | {
        stem: (values, words[stem]) for stem, values in epilogue.stage.memories().items()}


def _write_expected(case: VectorLayer, folder: LayerFolder) -> dict[str, int]:
    """Computes and writes acc and out band by band; the `stats` of the layer."""
    layer, rules, tm = case.layer, case.datapath, case.device.TM
    acc_lanes, out_lanes = Lanes(tm, case.datapath.acc_bits, True), Lanes(tm, case.out_format.bits, case.out_format.signed)
    shape = (*layer.out_hw, layer.oc)
    events = clamped = 0
    with (folder.hex("acc", acc_lanes, PIXEL_LAYOUT) as acc_hex, folder.hex("out", out_lanes, PIXEL_LAYOUT) as out_hex,
          folder.npy("acc", shape, "<i8") as acc_npy, folder.npy("out", shape, "<i4") as out_npy):
        for first, last in _bands(layer.out_hw[0], layer.out_hw[1] * max(layer.oc, layer.ic)):
            band = golden.band(layer, rules, case.x, case.out_format, first, last)
            _check_band(case, band, first)
            events, clamped = events + band.events, clamped + band.clamped
            acc_hex.write(lane_words(band.acc, tm))
            out_hex.write(lane_words(band.out, tm))
            acc_npy.write(band.acc)
            out_npy.write(band.out)
    return {"sat_out": clamped, "acc_overflow": events, "two_word_tiles": case.cycles.two_word_tiles}


def _check_band(case: VectorLayer, band: golden.GoldenRows, first: int) -> None:
    """Two ways to the same bits: the engine that ran the network and this model must agree; mode error stays event-free."""
    if band.events and case.device.acc_mode == "error":
        raise OverflowFault(f"{case.name}: a set in mode error must be free of accumulator events, not hold {band.events}")
    expected = band.out if case.out is None else case.out[first:first + len(band.out)]
    wrong = np.argwhere(band.out != expected)
    if len(wrong):
        oy, ox, oc = (int(value) for value in wrong[0])
        raise HwsimError(f"{case.name}: engine and golden model must agree, not differ at oy={first + oy} ox={ox} oc={oc}: "
                         f"{expected[oy, ox, oc]} and {band.out[oy, ox, oc]}")


def _bands(rows: int, row_values: int) -> list[tuple[int, int]]:
    """(first, last) of bands of rows with about BAND_VALUES values."""
    step = max(1, BAND_VALUES // max(1, row_values))
    return [(first, min(rows, first + step)) for first in range(0, rows, step)]
