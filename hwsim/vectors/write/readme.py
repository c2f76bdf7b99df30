"""README.txt and run.f of a vector set."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RTL = ("csr", "control", "sram", "nbin", "sb", "pe_column", "tile_params", "round_shift", "requantizer", "nbout", "top")


def run_file(manifest: Mapping[str, Any]) -> str:
    """run.f: the file list of the first parameter set, for any simulator that reads -f files."""
    return f"+incdir+tb/{manifest['params'][0]['name']}\n" + "".join(f"rtl/{name}.v\n" for name in RTL) + "tb/tb.v\n"


def readme(manifest: Mapping[str, Any]) -> str:
    """What the files are and how to run them, for someone who has only this folder."""
    first = manifest["layers"][0]
    lines = [
        "Golden vectors of a TN x TM neural array: stimulus, expected accumulators, outputs and cycles, per layer.",
        f"Written by {manifest['generator']['name']} {manifest['generator']['version']}: {manifest['generator']['command']}",
        "", "Words are $readmemh hex, one per line, lane 0 in the least significant bits. manifest.json says the width,",
        "the lanes, the address and the sha256 of every file, the cycles of every layer and the hardware it is for.",
        "", "Run one layer with Icarus Verilog:",
        f"  iverilog -g2005 -s tb -o sim -I tb/{first['params']} rtl/*.v tb/tb.v",
        f"  vvp sim +dir={first['folder']} +trace=trace.txt",
        "or with Verilator 5:",
        f"  verilator --binary --timing -Wno-fatal --top-module tb -Itb/{first['params']} rtl/*.v tb/tb.v && "
        f"obj_dir/Vtb +dir={first['folder']}",
        "It prints one line: RESULT cycles=.. exp_cycles=.. outs=.. PASS|FAIL.",
        "With cocotb: python tb/test_top.py icarus|verilator [FOLDER ...]",
        "All layers at once: hwsim cosim .     Why does mine differ: hwsim compare . trace.txt --layer NAME",
        "", "Layers (folder, parameters, beats issued, cycles):"]
    lines += [f"  {layer['folder']}  {layer['params']}  {layer['cycles']['issue']}  {layer['cycles']['total']}"
              for layer in manifest["layers"]]
    lines += ["", "Parameter sets:"]
    lines += ["  " + " ".join(f"{key}={value}" for key, value in entry.items()) for entry in manifest["params"]]
    return "\n".join(lines) + "\n"
