"""The instruction set that kernels are made for, read from numba's own target and never from the host.

The two may differ (NUMBA_CPU_NAME, NUMBA_CPU_FEATURES), and an instruction that the target lacks aborts the process.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import llvmlite.binding
import numba
from numba.core.registry import cpu_target

COLUMN = 16  # output channels of one tile column, whatever the width of a register


@dataclass(frozen=True)
class Rung:
    """One ISA level of the ladder of instruction sets that kernels exist for.

    lanes: 32-bit lanes of a register; tiles: columns of a tile -> its pixels, so that the accumulators stay in registers;
    careful: the same where every beat ends in a clamp or an extreme; madd: LLVM's name of the one instruction
    that has no generic form; vnni: whether sums of two 16-bit or four 8-bit products per lane are one exact instruction.
    """

    name: str
    lanes: int
    tiles: Mapping[int, int]
    careful: Mapping[int, int]
    madd: str
    vnni: bool = False

    def dot(self, name: str) -> str:
        """A dot product instruction in assembly: below 512 bits AVX-VNNI's form of it is meant."""
        # The same mnemonic names an EVEX form (AVX-512 VNNI with VL) and a VEX form (AVX-VNNI). Without the prefix assemblers
        # choose EVEX, an illegal instruction on a CPU without AVX-512.
        return name if self.lanes == 16 else "{vex} " + name

    @property
    def register(self) -> str:
        """The constraint of assembly for a register that such an instruction can name: below 512 bits the first 16 only."""
        # LLVM constraints: v is any of the 32 EVEX registers, x one of the 16 that a VEX encoding can name
        return "v" if self.lanes == 16 else "x"

    def tile(self, columns: int, width: int, careful: bool) -> tuple[int, int]:
        """(pixels, columns) of the tile for an output row of `width` pixels and that many 16-channel columns."""
        tiles = self.careful if careful else self.tiles
        # the widest tile that the channels fill; a row that is too short for its pixels is done one pixel at a time
        nr = max(n for n in tiles if n <= max(columns, 1))
        return (tiles[nr] if width >= tiles[nr] else 1), nr


@cache
def ladder() -> tuple[Rung, ...]:
    """The rungs that this process may compile for, fastest first; empty where only other code can run."""
    if numba.config.DISABLE_JIT or not llvmlite.binding.get_process_triple().startswith("x86_64"):
        return ()
    llvmlite.binding.initialize_native_asmparser()  # kernels/ir.py writes one instruction out
    # numba names this function for the host, but it returns what the code is generated for, NUMBA_CPU_FEATURES included
    features = set(cpu_target.target_context.codegen()._get_host_cpu_features().split(","))
    rungs = []
    # Tiles: mr * nr accumulators of 16 channels, plus weights, inputs and a product, must fit the register file (32 registers
    # from AVX-512 on, 16 before). Eight pixels of two columns are 16 of 32; twelve of one hide the latency of the dot product.
    if {"+avx512bw", "+avx512vl"} <= features:
        rungs.append(Rung(name="avx512", lanes=16, tiles={1: 12, 2: 8}, careful={1: 12, 2: 8},
                          madd="llvm.x86.avx512.pmaddw.d.512", vnni="+avx512vnni" in features))
    if "+avx2" in features:
        rungs.append(Rung(name="avx2", lanes=8, tiles={1: 6}, careful={1: 5}, madd="llvm.x86.avx2.pmadd.wd",
                          vnni="+avxvnni" in features))
    rungs.append(Rung(name="sse2", lanes=4, tiles={1: 2}, careful={1: 2}, madd="llvm.x86.sse2.pmadd.wd"))
    return tuple(rungs)


def rung_named(name: str) -> Rung:
    """The rung of that name; KeyError where this process has none."""
    return {rung.name: rung for rung in ladder()}[name]


def rung_of_lanes(lanes: int) -> Rung:
    """The rung whose registers have that many lanes."""
    return {rung.lanes: rung for rung in ladder()}[lanes]
