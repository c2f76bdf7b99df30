"""`hwsim run` gives the right bits on every rung of the ladder and where compiling is broken: one warning, exit 0."""
import os
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.kernel_layers import plain_layer
from helpers.plain_numpy import evaluate

import hwsim
from hwsim.engine.context import Context
from hwsim.engine.kernels.target import ladder
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node

REPOSITORY = Path(__file__).resolve().parents[3]
I11, DATAPATH = IntFormat(11), Datapath(18, Overflow.SATURATE)
AVX2 = "+avx,+avx2,+bmi,+bmi2,+fma,+sse4.1,+sse4.2,+ssse3,+popcnt"
UNKEPT = "compiled code cannot be kept: no folder can be written"
UNREADABLE = "compiled code in the cache could not be read"
LOST = "could not be compiled, a slower path gives the same bits"
on_x86 = pytest.mark.skipif(not ladder(), reason="needs x86-64")
META = {"source": {"path": "layer", "sha256": "0" * 64, "parameters": 0}, "config": {"scale_policy": "calib"}, "notes": [],
        "calibration": {}}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """(.hwq of one saturating layer, .npy of its input codes, the output codes by plain numpy)."""
    node, x = plain_layer(20, 17, (3, 3), (5, 13))
    graph = Graph((Node.make("x", "input", shape=x.shape[1:]), node), ("x",), ("layer",))
    ones = {"x": Fraction(1), "layer": Fraction(1)}
    folder = tmp_path_factory.mktemp("model")
    hwsim.save(IntegerGraph(graph, {"x": I11, "layer": I11}, ones, DATAPATH, META), folder / "net.hwq")
    np.save(folder / "x.npy", x)
    return folder / "net.hwq", folder / "x.npy", evaluate(node, x, Context(DATAPATH, (I11,), I11)).codes


@pytest.fixture(scope="module")
def warm(tmp_path_factory, model):
    """A folder of NUMBA_CACHE_DIR in which `model` has been compiled."""
    folder = tmp_path_factory.mktemp("cache")
    assert warnings_of(model, folder, {"NUMBA_CACHE_DIR": str(folder)}) == []
    return folder


def warnings_of(model, folder, settings, before=""):
    """The warnings of `hwsim run` under these settings, once it has exited with 0 and written the right codes.

    before: what its interpreter does first.
    """
    network, codes, expected = model
    command = f"{before}\nfrom hwsim.cli.main import main\nmain()"
    done = subprocess.run([sys.executable, "-c", command, "run", network, "--input", codes, "--out", folder / "out", "--quiet"],
                          cwd=REPOSITORY, env={**os.environ, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(folder / "out" / "layer.codes.npy"), expected)
    lines = done.stderr.splitlines()
    assert all(line.startswith("warning: ") for line in lines), done.stderr
    return lines


@on_x86
@pytest.mark.parametrize("settings", [
    {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    {"NUMBA_CPU_NAME": "nocona"}, {"NUMBA_DISABLE_JIT": "1"},
], ids=lambda settings: " ".join(settings.values())[:20])
def test_every_cpu(model, tmp_path, settings):
    assert warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), **settings}) == []


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_a_wrong_folder_for_the_cache_leaves_that_of_the_package(model, tmp_path, place):
    (tmp_path / "file").touch()
    assert warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(tmp_path / place)}) == []


def test_a_read_only_home_costs_compile_time_and_one_warning(model, tmp_path):
    """Neither the package's own folder nor one below the home: what numba falls back to where nothing can be written."""
    home = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere", "NUMBA_CACHE_DIR": "",
            "NUMBA_CACHE_LOCATOR_CLASSES": "UserWideCacheLocator"}
    said = warnings_of(model, tmp_path, home)
    assert len(said) == 1 and UNKEPT in said[0]


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-40])


def _one_bit(path):
    """A bit in the middle, where machine code is: as a disk changes it."""
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 16
    path.write_bytes(found)


def _a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = {"nothing": lambda path: path.write_bytes(b""), "garbage": lambda path: path.write_bytes(b"garbage"),
          "truncated": _truncated, "one bit": _one_bit, "another": lambda path: path.write_bytes(pickle.dumps(("another", 42))),
          "a folder": _a_folder}


@pytest.mark.parametrize("kind, damage, warned", [
    ("nbi", "nothing", 1), ("nbi", "truncated", 1), ("nbi", "another", 0), ("nbi", "a folder", 1),
    ("nbc", "garbage", 1), ("nbc", "truncated", 1), ("nbc", "one bit", 1), ("nbc", "another", 1)])
def test_a_broken_cache_is_made_again(model, warm, tmp_path, kind, damage, warned):
    cache = _copied(warm, tmp_path)
    for path in sorted(cache.rglob(f"*.{kind}")):
        DAMAGE[damage](path)
    said = warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(cache)})
    assert len(said) == warned and all(UNREADABLE in line for line in said)
    if warned and damage != "a folder":
        assert warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(cache)}) == []


def test_code_that_cannot_be_written_is_one_warning(model, warm, tmp_path):
    cache = _copied(warm, tmp_path)
    for path in sorted(cache.rglob("*.nbc")):
        _a_folder(path)
    said = warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(cache)})
    assert len(said) == 1 and UNKEPT in said[0]


def test_files_broken_in_several_ways_are_one_warning(model, warm, tmp_path):
    cache = _copied(warm, tmp_path)
    for number, path in enumerate(sorted(cache.rglob("*.nbc"))):
        path.write_bytes(b"garbage" * (number % 2))
    assert len(warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(cache)})) == 1


def test_code_without_its_index_and_an_index_without_its_code(model, warm, tmp_path):
    for kind in ("nbi", "nbc"):
        cache = _copied(warm, tmp_path / kind)
        for path in cache.rglob(f"*.{kind}"):
            path.unlink()
        assert warnings_of(model, tmp_path, {"NUMBA_CACHE_DIR": str(cache)}) == []


def _copied(cache, folder):
    """A copy of `cache` in `folder`, to be broken."""
    for path in cache.rglob("*.nb*"):
        target = folder / "cache" / path.relative_to(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder / "cache"


FAILING = """
import inspect
from hwsim.engine.host import jit
real, asked = jit.compiled, []
def compiled(function, signature=None):
    lanes = inspect.getclosurevars(function).nonlocals.get("lanes")
    asked.extend([lanes] * (lanes is not None))
    if lanes is not None and ({condition}):
        raise RuntimeError("no such instruction")
    return real(function, signature)
jit.compiled = compiled
"""


@on_x86
@pytest.mark.parametrize("count", range(1, len(ladder()) + 1))
def test_each_instruction_set_that_does_not_compile_is_one_warning(model, tmp_path, count):
    lost = ladder()[:count]
    said = warnings_of(model, tmp_path, {}, FAILING.format(condition=f"lanes in {[rung.lanes for rung in lost]}"))
    assert [rung.name for rung in lost] == [line.split("kernels for ")[1].split()[0] for line in said]
    assert all(LOST in line and "no such instruction" in line for line in said)


@on_x86
def test_a_second_kernel_that_does_not_compile_is_one_warning_too(model, tmp_path):
    said = warnings_of(model, tmp_path, {}, FAILING.format(condition="len(asked) == 2"))
    assert len(said) == 1 and f"kernels for {ladder()[0].name} {LOST}" in said[0]


def test_a_compiler_that_makes_nothing_leaves_numpy(model, tmp_path):
    broken = """
from numba.core.dispatcher import Dispatcher
def compile(self, signature):
    raise RuntimeError("no compiler here")
Dispatcher.compile = compile
"""
    assert len(warnings_of(model, tmp_path, {}, broken)) == len(ladder()) + 1
