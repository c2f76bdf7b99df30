"""No shape ends the process: odd layers through every rung in a child, whose exit status and last line name a crash."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hwsim.engine.kernels.target import ladder

TESTS = Path(__file__).resolve().parents[2]
RUNGS = (*(rung.name for rung in ladder()), "compiled", "numpy")
SIZES = (1, 2, 3, 5, 7, 11, 13, 16, 17, 23, 31, 37)
CHANNELS = (1, 1, 2, 3, 4, 5, 7, 11, 13, 16, 17, 19, 31, 33)
DRAWN = 240


def shape(hw, ic, oc, kernel=(1, 1), op="qconv2d", n=1, groups=1, **geometry):
    return {"op": op, "n": n, "hw": hw, "ic": ic, "oc": oc, "kernel": kernel, "groups": groups, **geometry}


def corners():
    """One pixel, one row, one column, a kernel larger than the image, everything prime, steps over the whole image."""
    for hw in ((1, 1), (1, 2), (2, 1), (1, 7), (7, 1), (3, 5), (2, 13)):
        for ic, oc in ((1, 1), (1, 17), (17, 1), (3, 5)):
            yield shape(hw, ic, oc)
            yield shape(hw, ic, oc, (3, 3), padding="same")
        yield shape(hw, 5, 5, (3, 3), groups=5, padding="same")
        yield shape(hw, 3, 7, (5, 7), padding="same", stride=(2, 3))
        yield shape(hw, 2, 3, (3, 3), padding=(6, 7, 6, 7), dilation=(3, 3))
        yield shape(hw, 3, 2, (3, 2), "qconv2d_transpose", stride=(3, 5), crop=(0, 0, 0, 0))
        yield shape(hw, 7, 19, op="qdense")
    yield shape((1, 1), 1, 1, (13, 11), padding=(12, 0, 0, 10))
    yield shape((97, 1), 1, 1, (1, 1), stride=(96, 1))
    yield shape((1, 211), 2, 1, (1, 1), stride=(1, 211))
    yield shape((1, 1), 509, 3, n=3)
    yield shape((1, 1), 1, 251)


def in_place():
    """No border, 16-bit codes: what the kernels may read where it is, with channels that fill a beat or a run, or do not."""
    ways = ({"monitor": True}, {"by_beats": True}, {}, {"w_bits": 16}, {"w_bits": 16, "monitor": True})
    for ic in (1, 3, 7, 16, 24, 40, 86, 257, 320, 1000):
        for way in ways:
            yield shape((2, 5), ic, 3, bits=16 if "w_bits" in way else 11, **{"monitor": False, "by_beats": False} | way)
    for ic in (5, 16, 24, 96):
        for way in ways:
            yield shape((4, 7), ic, 17, (3, 3), bits=16 if "w_bits" in way else 11, **{"monitor": False, "by_beats": False} | way)


def drawn(r):
    """A random shape with an output, its sizes mostly primes and smaller than a tile as often as not."""
    groups = int(r.choice((1, 1, 1, 2, 3)))
    ic, oc = (int(r.choice(CHANNELS)) * groups for _ in range(2))
    if r.random() < 0.25:
        groups = oc = ic
    hw, kernel = [int(v) for v in r.choice(SIZES, 2)], [int(v) for v in r.choice((1, 1, 2, 3, 3, 5), 2)]
    stride, dilation = ([int(v) for v in r.choice((1, 1, 2, 3), 2)] for _ in range(2))
    found = shape(hw, ic, oc, kernel, n=int(r.integers(1, 3)), groups=groups, stride=stride, dilation=dilation,
                  rowpack=bool(r.random() < 0.15))
    return {**found, "padding": "same" if r.random() < 0.5 else _padding(r, hw, kernel, dilation)}


def _padding(r, hw, kernel, dilation):
    pads = []
    for size, k, d in zip(hw, kernel, dilation):
        before = int(r.integers(0, 4))
        pads += [before, max(int(r.integers(0, 4)), (k - 1) * d + 1 - size - before)]
    return pads


@pytest.mark.parametrize("rung", RUNGS)
def test_no_shape_ends_the_process(rung, tmp_path):
    fuzz(rung, tmp_path)


@pytest.mark.skipif(not ladder(), reason="needs kernels")
def test_no_shape_ends_the_process_on_an_emulated_cpu(tmp_path):
    pytest.importorskip("helpers.emulated", exc_type=ImportError)
    fuzz("skylake-avx512", tmp_path, DRAWN // 4)


def fuzz(rung, tmp_path, drawn_ones=DRAWN):
    """Odd shapes through a rung in a child, which ends well."""
    r = np.random.default_rng(sum(map(ord, rung)))
    shapes = [*corners(), *in_place(), *(drawn(r) for _ in range(drawn_ones))]
    (tmp_path / "shapes.json").write_text(json.dumps(shapes))
    done = run_child(TESTS / "helpers" / "fuzz_child.py", rung, tmp_path / "shapes.json")
    assert done.returncode == 0, f"{_ending(done.returncode)} on {rung}: {done.stdout.splitlines()[-1:]}\n{done.stderr[-2000:]}"
    assert done.stdout.splitlines()[-1] == f"done {len(shapes)}" and done.stderr == ""


@pytest.mark.parametrize("at_end, step", [(True, 3), (False, -1)])
def test_a_step_outside_the_input_ends_the_child(at_end, step):
    """The net itself: one byte behind the last code, or before the first."""
    outside = ("import ctypes, numpy; from helpers.fuzz_child import fenced; x = fenced(numpy.zeros(3, numpy.int8), "
               f"{at_end}); ctypes.string_at(x.ctypes.data, 3); print('inside', flush=True); "
               f"ctypes.string_at(x.ctypes.data + {step}, 1)")
    done = run_child("-c", outside)
    assert done.stdout == "inside\n" and _ending(done.returncode) in ("signal SIGSEGV", "signal SIGBUS")


def run_child(*arguments):
    """A child under an allocator that hands out memory full of bytes that are no zeros."""
    path = os.pathsep.join([str(TESTS.parent), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "MALLOC_PERTURB_": "165", "PYTHONPATH": path})


def _ending(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
