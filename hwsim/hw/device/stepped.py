"""The array clock by clock: every value, every event and every cycle of one layer (spec/device.md sections 2 and 3).

It advances only by `step` and the clock edge. It shares nothing with the engines and nothing with the closed form in
hw/costs/cycles.py; tests prove the three equal.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from hwsim.errors import HwsimError, OverflowFault
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.hw.config import Device
from hwsim.hw.device.buffers import SB, NBin, NBout
from hwsim.hw.device.control import Control
from hwsim.hw.device.counters import Counters
from hwsim.hw.device.pe_column import LogPeColumns, PeColumns
from hwsim.hw.device.requantizer import Requantizer, UnfoldedRequantizer
from hwsim.hw.device.word import AnyState, Change, Register, Tag, WritePort
from hwsim.hw.layout import check_bank, field_words, lane_words, loops_of, real_lanes, sb_tiles
from hwsim.hw.rowpack import pack_input, pack_layer
from hwsim.ops.dims import ceil_div
from hwsim.ops.epilogue import Folded, Stage, ThreeStep
from hwsim.ops.layer import ArrayLayer
from hwsim.ops.weights import Linear, Log, WeightFormat

MOST_IDLE = 4  # cycles without a write; a working array writes something in every one
COLUMNS: Mapping[type[WeightFormat], type[PeColumns]] = {Linear: PeColumns, Log: LogPeColumns}
REQUANTIZERS: Mapping[type[Stage], type[Requantizer]] = {Folded: Requantizer, ThreeStep: UnfoldedRequantizer}


@dataclass(frozen=True)
class Parts:
    """The module classes that the array is built from; exchange one to change the hardware.

    None: by the layer's weight format and stage.
    """

    control: type[Control] = Control
    nbin: type[NBin] = NBin
    sb: type[SB] = SB
    columns: type[PeColumns] | None = None
    requantizer: type[Requantizer] | None = None
    nbout: type[NBout] = NBout


Module: TypeAlias = Control | NBin | SB | PeColumns | Requantizer | NBout


class Event(NamedTuple):
    """One line of the trace: A accumulator word visible, O NBout word visible, D done; `word` are its TM lanes."""

    cycle: int
    kind: str
    address: int
    word: tuple[int, ...]


class Tile(NamedTuple):
    """Timing of one output tile: DMA cycles, first issue cycle, cycle after its last issue."""

    load: int
    start: int
    end: int


class OverflowEvent(NamedTuple):
    """The first accumulator event: its address in issue order and the exact sum that left the range."""

    cot: int
    oy: int
    ox: int
    oc: int
    ky: int
    kx: int
    cit: int
    word: int
    value: int


@dataclass(frozen=True, eq=False)
class SteppedRun:
    """One layer on one image, as the array computed it.

    values: int64 (OH,OW,OC) codes; acc: int64 (OH,OW,OC) accumulators that they come from; cycles: until done is high;
    first: the first overflow event; observed_min, observed_max: int64 (OC) extremes of the exact partial sums;
    acc_format, out_format: of acc and values; log: every register write, if it was asked for.
    """

    values: np.ndarray
    acc: np.ndarray
    cycles: int
    tiles: tuple[Tile, ...]
    trace: tuple[Event, ...]
    counters: Counters
    first: OverflowEvent | None
    observed_min: np.ndarray
    observed_max: np.ndarray
    acc_format: IntFormat
    out_format: IntFormat
    log: list[Change] | None


def run_stepped(layer: ArrayLayer, datapath: Datapath, device: Device, x: np.ndarray,
                formats: tuple[IntFormat, IntFormat] | None = None, parts: Parts | None = None, log: bool = False) -> SteppedRun:
    """The SteppedRun of an ArrayLayer on one image x (IH,IW,IC) of integer codes.

    datapath: widths, rules and array size; device: its memory alone (dma_bits, sb_kb); formats: (input, output) IntFormat, by
    default the device's act_bits; parts: other modules than the standard ones; log: keep every register write for a waveform.
    Errors: UnsupportedError for a layer that the array cannot run,
    OverflowFault at the first event in mode `error`.
    """
    formats = formats or (IntFormat(device.act_bits), IntFormat(device.act_bits))
    chip = Chip(layer, datapath, device, np.asarray(x, np.int64), formats, parts or Parts(), [] if log else None)
    idle = 0
    while not chip.control.done.value:
        writes = chip.step()
        idle = 0 if writes else idle + 1
        if idle > MOST_IDLE:
            raise HwsimError(f"{chip.name}: the array must reach done, not stand still at cycle {chip.port.cycle}")
    return chip.result()


class Chip:
    """The modules of the array, connected, with one layer in their memories. Arguments as of run_stepped.

    Errors: UnsupportedError for a layer that the array cannot run.
    """

    def __init__(self, layer: ArrayLayer, datapath: Datapath, device: Device, x: np.ndarray, formats: tuple[IntFormat, IntFormat],
                 parts: Parts, log: list[Change] | None) -> None:
        self.name = layer.full_name
        tn, tm = datapath.tn, datapath.tm
        x, layer = pack_input(layer, x), pack_layer(layer, tn)
        self.layer, self.datapath, self.formats = layer, datapath, formats
        self.loops = loops_of(layer, tn, tm)
        tiles = sb_tiles(layer, self.loops, tn, tm)
        weights, epilogue = layer.weights.format, layer.epilogue
        check_bank(self.name, max(map(len, tiles)) * tn * tm * weights.bits, device)
        self.port = WritePort(log)
        self.sb = parts.sb(self.port, tiles, weights.word, (tm, tn), device.dma_bits)
        self.control = parts.control(self.port, self.loops, self.sb)
        self.nbin = parts.nbin(self.port, lane_words(x, tn), formats[0])
        columns = parts.columns or COLUMNS[type(weights)]
        self.columns = columns(self.port, field_words(epilogue.bias, tm), (formats[0], weights), datapath,
                               real_lanes(layer, self.loops, tn, tm))
        requantizer = parts.requantizer or REQUANTIZERS[type(epilogue.stage)]
        fields = {name: field_words(values, tm) for name, values in epilogue.stage.memories().items()}
        self.requantizer = requantizer(self.port, fields, (epilogue.lo, epilogue.hi), formats[1], datapath)
        pixels = layer.geometry.pixels
        self.nbout = parts.nbout(self.port, pixels * self.loops.cot, tm, formats[1])
        self.acc = np.zeros((pixels * self.loops.cot, tm), np.int64)
        self.trace: list[Event] = []
        self._connect()

    def _connect(self) -> None:
        self.sb.control = self.nbin.control = self.control
        self.columns.nbin, self.columns.sb = self.nbin, self.sb
        self.requantizer.columns = self.columns
        self.nbout.requantizer = self.requantizer
        self.control.nbout = self.nbout
        self.modules: tuple[Module, ...] = (self.control, self.nbin, self.sb, self.columns, self.requantizer, self.nbout)
        if self.port.log is not None:
            self.port.log += [(0, register, register.value) for module in self.modules for register in registers(module)]

    def step(self) -> int:
        """One clock cycle: every module decides from what shows now, then the edge. Their order does not matter.

        Returns how many words changed.
        """
        for module in self.modules:
            module.step()
        writes = self.port.edge()
        self._observe()
        return writes

    def _observe(self) -> None:
        """The trace of what has become visible, and the stop of mode `error`."""
        cycle = self.port.cycle
        beat = self.columns.tag.value
        if beat is not None and beat.last:
            self.acc[beat.out_address] = self.columns.acc.value
            self.trace.append(Event(cycle, "A", beat.out_address, tuple(self.columns.acc.value.tolist())))
        beat = self.nbout.tag.value
        if beat is not None:
            self.trace.append(Event(cycle, "O", beat.out_address, tuple(self.nbout.q.value.tolist())))
        if self.control.done.value:
            self.trace.append(Event(cycle, "D", 0, (0,)))
        if self.datapath.acc_mode is Overflow.ERROR and self.first is not None:
            self._stop(self.first)

    def _stop(self, first: OverflowEvent) -> None:
        fmt = self.datapath.acc_format
        where = " ".join(f"{name}={value}" for name, value in first._asdict().items() if name != "value")
        raise OverflowFault(f"{self.name}: the accumulator must stay in {fmt.min}..{fmt.max} ({fmt}), not {first.value} "
                            f"at {where}", first)

    @property
    def first(self) -> OverflowEvent | None:
        """The first accumulator event so far."""
        if self.columns.probe.first is None:
            return None
        beat, column, value = self.columns.probe.first
        cit = beat.cot if self.layer.depthwise else beat.cit
        return OverflowEvent(cot=beat.cot, oy=beat.oy, ox=beat.ox, oc=beat.cot * self.datapath.tm + column, ky=beat.ky,
                             kx=beat.kx, cit=cit, word=beat.word, value=value)

    def result(self) -> SteppedRun:
        """The SteppedRun, once `done` is high."""
        shape, oc = (*self.layer.out_hw, -1), self.layer.oc
        probe = self.columns.probe
        return SteppedRun(values=self.nbout.memory.words.reshape(shape)[..., :oc], acc=self.acc.reshape(shape)[..., :oc],
                          cycles=self.port.cycle, tiles=self._tiles(), trace=tuple(self.trace), counters=self._counters(),
                          first=self.first, observed_min=probe.least.reshape(-1)[:oc], observed_max=probe.most.reshape(-1)[:oc],
                          acc_format=self.datapath.acc_format, out_format=self.formats[1], log=self.port.log)

    def _tiles(self) -> tuple[Tile, ...]:
        starts, ends, dma = self.control.starts, self.control.ends, self.sb.dma_bits
        loads = [ceil_div(len(tile) * self.sb.word_bits, dma) if dma else 0 for tile in self.sb.tiles]
        return tuple(map(Tile, loads, starts, ends))

    def _counters(self) -> Counters:
        control, columns, writes, cycles = self.control, self.columns, self.port.writes, self.port.cycle
        return Counters(
            cycles=cycles, beats=control.beats, stall_cycles=control.stalls, drain_cycles=cycles - control.ends[-1],
            second_words=control.second_words, padding_beats=self.nbin.pads, busy_slots=columns.busy, idle_slots=columns.idle,
            nbin_reads=self.nbin.reads, sb_reads=self.sb.reads,
            sb_loads=sum(writes.get(bank, 0) for bank in {str(bank) for bank in self.sb.banks}), dma_cycles=self.sb.dma_cycles,
            acc_writes=columns.sums, nbout_writes=self.nbout.writes, register_writes=sum(writes.values()),
            overflow_events=columns.probe.events,
            clamped_outputs=int(self.requantizer.clamped.reshape(-1)[:self.layer.oc].sum()))


def registers(module: Module) -> list[AnyState]:
    """The registers of a module, the pipeline's control bits among them."""
    fields: list[list[Any]] = [value if isinstance(value, list) else [value] for value in vars(module).values()]
    return [item for items in fields for item in items if isinstance(item, (Register, Tag))]
