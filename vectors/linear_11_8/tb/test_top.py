"""A cocotb test of top: runs layers of a vector set through the host port and compares every event with the files.

    python tb/test_top.py [icarus|verilator] [FOLDER ...]     in the set's folder; without folders every layer

cocotb 1.9 or later; with Verilator 5.036 or later. The test reads csr.txn and the hex files, nothing else.
"""
import json
import os
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

SEL = {"bias": 4, "mpos": 5, "mneg": 6, "shift": 7, "alpha": 8, "m2": 9, "shift2": 10, "ldlen": 11}
CTRL = 0x80


def read_hex(folder, stem):
    """The words of <stem>.hex as integers, [] when the layer has no such file."""
    path = folder / f"{stem}.hex"
    return [int(line, 16) for line in path.read_text().split()] if path.exists() else []


async def load(dut, sel, words):
    """Words into a memory, one per cycle, from address 0."""
    dut.host_sel.value = sel
    for address, word in enumerate(words):
        dut.host_we.value, dut.host_addr.value, dut.host_data.value = 1, address, word
        await FallingEdge(dut.clk)
    dut.host_we.value = 0


async def load_layer(dut, folder, csr):
    """Every memory; even output tiles go to weight bank 0, odd ones to bank 1."""
    await load(dut, 0, read_hex(folder, "nbin"))
    flags, weights = read_hex(folder, "flag"), read_hex(folder, "sb")
    await load(dut, 3, flags)
    taps, banks = csr["KH"] * csr["KW"] * csr["CIT"], ([], [])
    for cot in range(csr["COT"]):
        beats = taps + sum(flags[cot * taps:(cot + 1) * taps])
        banks[cot % 2].extend(weights[:beats])
        weights = weights[beats:]
    await load(dut, 1, banks[0])
    await load(dut, 2, banks[1])
    for stem, sel in SEL.items():
        await load(dut, sel, read_hex(folder, stem))


async def write_csr(dut, address, value):
    dut.csr_we.value, dut.csr_addr.value, dut.csr_wdata.value = 1, address, value
    await FallingEdge(dut.clk)
    dut.csr_we.value = 0


async def watch(dut, expected, limit):
    """Compares events until done; called in cycle 0. Returns the cycle of done and the outputs seen."""
    outs = {"acc": 0, "out": 0}
    for cycle in range(limit):
        for name in outs:
            if int(getattr(dut, f"mon_{name}_valid").value):
                address = int(getattr(dut, f"mon_{name}_addr").value)
                got, wanted = int(getattr(dut, f"mon_{name}").value), expected[name][address]
                assert got == wanted, f"cycle {cycle} {name}[{address}] = {got:x}, expected {wanted:x}"
                outs[name] += 1
        if int(dut.done.value):
            return cycle, outs
        await FallingEdge(dut.clk)
    raise AssertionError(f"not done after {limit} cycles")


@cocotb.test()
async def layer(dut):
    folder = Path(os.environ["HWSIM_LAYER"])
    session = [line.split() for line in (folder / "csr.txn").read_text().splitlines()]
    writes = [(int(line[1], 16), int(line[2], 16), line[4]) for line in session if line[0] == "W"]
    for name in ("csr_we", "csr_addr", "csr_wdata", "host_we", "host_sel", "host_addr", "host_data", "host_re"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    for address, value, _ in writes:
        await write_csr(dut, address, value)
    await load_layer(dut, folder, {name: value for _, value, name in writes})
    expected = {name: read_hex(folder, name) for name in ("acc", "out")}
    await write_csr(dut, CTRL, 1)
    limit = next(int(line[1]) for line in session if line[0] == "WAITDONE")
    cycle, outs = await watch(dut, expected, limit)
    assert outs == {"acc": len(expected["acc"]), "out": len(expected["out"])}, f"events {outs}"
    for _, address, mask, value in (line for line in session if line[0] == "R"):
        dut.csr_addr.value = int(address, 16)
        await FallingEdge(dut.clk)
        got = int(dut.csr_rdata.value) & int(mask, 16)
        assert got == int(value, 16), f"register {address} = {got:08x}, expected {value}"
    dut._log.info(f"RESULT cycles={cycle} outs={outs['out']} PASS")


def main(simulator="icarus", *names):
    """Builds each parameter set once and runs its layers."""
    from cocotb_tools.runner import get_runner
    root = Path(__file__).resolve().parents[1]
    manifest = json.loads((root / "manifest.json").read_text())
    for params in manifest["params"]:
        chosen = [entry["folder"] for entry in manifest["layers"]
                  if entry["params"] == params["name"] and (not names or entry["folder"] in names)]
        runner, place = get_runner(simulator), Path("sim_build") / params["name"]
        values = {key: value for key, value in params.items() if key != "name"}
        if chosen:
            runner.build(sources=sorted((root / "rtl").glob("*.v")), hdl_toplevel="top", parameters=values, build_dir=place,
                         build_args=["-Wno-fatal"] if simulator == "verilator" else [])
        for folder in chosen:
            runner.test(hdl_toplevel="top", test_module="test_top", build_dir=place, test_dir=root / "tb",
                        extra_env={"HWSIM_LAYER": str(root / folder)})


if __name__ == "__main__":
    main(*sys.argv[1:])
