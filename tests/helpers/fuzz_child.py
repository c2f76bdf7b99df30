"""A process of its own that runs layers of odd shapes on one rung: `python fuzz_child.py RUNG SHAPES.json`.

Each shape is printed before it runs, so that the last line names the one that ended the process. The input codes lie against a
page that may not be touched: one step outside of them is a crash and not a lucky read.
"""
import ctypes
import json
import mmap
import sys
from dataclasses import replace

import numpy as np

from helpers.plain_numpy import evaluate
from hwsim.engine.context import Context, word_type
from hwsim.engine.fast.backend import COMPILED, INTERPRETED, KERNELS
from hwsim.engine.fast.table import run_node
from hwsim.engine.kernels.target import ladder
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
from hwsim.graph.node import Node

SETTINGS = ("bits", "w_bits", "monitor", "by_beats")
PLAIN, BY_BEATS = Datapath(), Datapath(18, Overflow.SATURATE)
LIBC = ctypes.CDLL(None, use_errno=True)


def loops_named(name):
    """The Backend of a rung of the ladder, of the loops below it, or of the kernels for an emulated CPU."""
    if name in ("compiled", "numpy"):
        return COMPILED if name == "compiled" else INTERPRETED
    rungs = tuple(rung for rung in ladder() if rung.name == name)
    return replace(KERNELS, rungs=rungs or (_emulated(name),))


def _emulated(model):
    from helpers.emulated import Foreign

    foreign = Foreign(model)
    foreign.take_over()
    return foreign.rung


def fenced(array, at_end):
    """A copy of `array` between two pages that may not be touched, against the last one or the first."""
    page = mmap.PAGESIZE
    inner = -(-array.nbytes // page) * page
    memory = np.frombuffer(mmap.mmap(-1, inner + 2 * page), np.uint8)
    for start in (0, page + inner):
        if LIBC.mprotect(ctypes.c_void_p(memory.ctypes.data + start), ctypes.c_size_t(page), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    start = page + (inner - array.nbytes if at_end else 0)
    copy = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def node_of(r, shape):
    oc, icg, end = shape["oc"], shape["ic"] // shape["groups"], 1 << (shape.get("w_bits", 8) - 1)
    fields = {"codes": r.integers(1 - end, end, (1, oc, *shape["kernel"], icg)), "w_bits": shape.get("w_bits", 8),
              "bias": r.integers(-999, 1000, oc),
              "m_pos": r.integers(1 << 15, 1 << 16, oc), "m_neg": r.integers(1 << 12, 1 << 14, oc),
              "shift": r.integers(20, 26, oc), "lo": -1024, "hi": 1023}
    geometry = {name: value for name, value in shape.items() if name not in ("op", "n", "hw", "ic", "oc", "kernel", *SETTINGS)}
    if shape["op"] != "qconv2d":
        geometry.pop("groups")
    return Node.make("layer", shape["op"], ("x",), **fields, **{k: _tuple(v) for k, v in geometry.items()})


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def check(number, shape, loops):
    """Raises where the rung's codes or counters are not plain numpy's; some shapes by beats, some in bytes, where they do not
    say themselves what is done with them: then they are int16 codes before the last page, which kernels may read in place.
    """
    r, given = np.random.default_rng(number), "bits" in shape
    node, monitor = node_of(r, shape), shape.get("monitor", number % 14 == 0)
    fmt, by_beats = IntFormat(shape.get("bits", 9 if number % 5 else 8)), shape.get("by_beats", number % 7 == 0)
    context = Context(BY_BEATS if by_beats else PLAIN, (fmt,), IntFormat(11), monitor, 1 + number % 2)
    word = word_type(fmt.min, fmt.max) if given or number % 3 else np.int32
    codes = r.integers(fmt.min, fmt.max + 1, (shape["n"], *shape["hw"], shape["ic"])).astype(word)
    x = fenced(codes, given or number // 2 % 2)
    expected = evaluate(node, x, context)
    codes, stats = run_node(node, [x], context, loops)
    np.testing.assert_array_equal(codes, expected.codes)
    assert not monitor or (stats.events, stats.clamped) == (expected.events, expected.clamped)


def main(name, path):
    loops = loops_named(name)
    with open(path) as file:
        shapes = json.load(file)
    for number, shape in enumerate(shapes):
        print(number, json.dumps(shape), flush=True)
        check(number, shape, loops)
    print("done", len(shapes), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
