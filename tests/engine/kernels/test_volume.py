"""Reference, every rung of the fast engine and plain numpy give the same integers on a volume of layers that covers the law."""
from collections import Counter
from dataclasses import astuple, replace
from functools import cache

import numpy as np
import pytest

from helpers import volume
from helpers.plain_numpy import evaluate
from hwsim.engine import reference
from hwsim.engine.fast.backend import COMPILED, INTERPRETED, KERNELS
from hwsim.engine.fast.table import run_node
from hwsim.engine.kernels.plan import plan
from hwsim.engine.kernels.target import ladder
from hwsim.engine.legality import check_runnable
from hwsim.fixed.formats import Overflow, Rounding
from hwsim.graph.check import check_integer
from hwsim.graph.node import Graph, Node
from hwsim.graph.shapes import infer
from hwsim.ops.cut import cut

RUNGS = ladder()
BATCHES = volume.LAYERS // volume.BLOCK


@pytest.mark.parametrize("batch", range(BATCHES))
def test_three_implementations_agree(batch):
    for number in range(batch * volume.BLOCK, (batch + 1) * volume.BLOCK):
        examined(number)


@cache
def examined(number):
    """The classes that a layer belongs to, once all implementations agree on it."""
    case = volume.layer(number)
    expected, before, engines = evaluate(case.node, case.x, case.context), case.x.copy(), _engines(case)
    for name, run in engines.items():
        assert_same(expected, *run(case.node, [case.x], case.context), case.context, f"{name} on {case}")
    np.testing.assert_array_equal(case.x, before, err_msg=f"the input of {case}")
    return frozenset((*_classes(case), *_outcome(case, expected), *engines))


def _engines(case):
    """name -> run_node: the reference, one instruction set of the ladder, the compiled and the interpreted loops."""
    runs = {"reference": reference.ENGINE.run_node, "compiled": _on(COMPILED), "numpy": _on(INTERPRETED)}
    if RUNGS:
        rung = case.rung(RUNGS)
        runs[rung.name] = _on(replace(KERNELS, rungs=(rung,)))
    return runs


def _on(loops):
    return lambda node, inputs, context: run_node(node, inputs, context, loops)


def assert_same(expected, codes, stats, context, message):
    """Codes and counters as the context asks for them are those of the plain_numpy.Outcome."""
    stops = context.datapath.acc_mode is Overflow.ERROR
    assert _address(stats.first) == (expected.first if context.monitor or stops else None), message
    if stops and expected.first:
        return
    np.testing.assert_array_equal(codes, expected.codes, err_msg=message)
    if not context.monitor:
        assert (stats.events, stats.observed_min, stats.observed_max, stats.clamped) == (None,) * 4, message
        return
    assert (stats.events, stats.clamped) == (expected.events, expected.clamped), message
    np.testing.assert_array_equal(stats.observed_min, expected.low, err_msg=message)
    np.testing.assert_array_equal(stats.observed_max, expected.high, err_msg=message)


def _address(event):
    return event and (event.layer.removeprefix("layer"), *astuple(event)[1:])


# ---- what the volume covers

def _classes(case):
    p, c, d = case.node.params, case.context, case.context.datapath
    fmt = c.in_formats[0]
    yield from (case.kind, case.words, d.acc_mode, d.rounding, f"sums {case.room}", "folded" if d.folded else "unfolded",
                "monitored" if c.monitor else "unwatched", f"{d.acc_bits} bits of accumulator", f"{fmt.bits} bits of code",
                "signed" if fmt.signed else "unsigned", f"tn {d.tn}", f"threads {c.threads}", case.x.dtype.name)
    if p["w_format"] == "linear":
        yield f"{p['w_bits']} bits of weight"
    if _is_wide(case):
        yield from ("wide", f"wide {case.kind}", f"wide {d.acc_mode}", f"wide {d.rounding}")


def _is_wide(case):
    """More than 16 inputs and outputs and more than 64 columns: of every layer that the array sees."""
    layers = _layers(case)
    return all(one.ic > 16 and one.oc > 16 and one.in_hw[1] > 64 and one.out_hw[1] > 64 for one in layers)


def _layers(case):
    return [one.layer for one in cut(case.node, case.x.shape, case.context.datapath.tm)]


def _outcome(case, expected):
    mode, varied = case.context.datapath.acc_mode, len(np.unique(expected.codes))
    yield from (f"plan {plan(one, case.context.datapath, case.context.in_formats[0], case.context.monitor).path}"
                for one in _layers(case))
    yield f"{mode} with events" if expected.events else f"{mode} without events"
    if expected.events and _is_wide(case):
        yield f"wide {mode} with events"
    if varied > 2:
        yield "more than two codes"
    if 0 < expected.clamped < expected.codes.size:
        yield "some codes clamped"


def _least():
    """class -> how many layers of it there must be."""
    return {
        "wide": 300, "reference": 1000, "compiled": 1000, "numpy": 1000,
        **{rung.name: volume.LAYERS // (4 * len(RUNGS)) for rung in RUNGS},
        **{kind: 100 for kind in volume.KINDS}, **{f"wide {kind}": 36 for kind in volume.KINDS},
        **{words: 200 for words in volume.WORDS},
        **{mode: 250 for mode in Overflow}, **{f"wide {mode}": 80 for mode in Overflow},
        **{f"{mode} with events": 60 for mode in Overflow}, **{f"{mode} without events": 150 for mode in Overflow},
        **{f"wide {mode} with events": 20 for mode in Overflow},
        **{rounding: 60 for rounding in Rounding}, **{f"wide {rounding}": 25 for rounding in Rounding},
        **{f"sums {room}": 250 for room in ("inside", "tight", "any")},
        "folded": 700, "unfolded": 80, "monitored": 400, "unwatched": 400, "signed": 600, "unsigned": 150,
        **{f"{bits} bits of code": 50 for bits in range(2, 17)}, **{f"{bits} bits of weight": 25 for bits in range(2, 17)},
        **{f"{bits} bits of accumulator": 5 for bits in range(8, 49)},
        **{f"tn {tn}": 10 for tn in (1, 4, 8)}, "tn 32": 5, **{f"threads {count}": 250 for count in (1, 2, 3)},
        **({"plan dot16": 500, "plan split": 25, "plan portable": 15, "plan beats": 80} if RUNGS else {}),
        **({"plan dot8": 50} if RUNGS and RUNGS[0].vnni else {}),
        "int32": 400, "int16": 400,
        "more than two codes": 800, "some codes clamped": 400,
    }


def test_the_volume_covers_the_law():
    assert volume.LAYERS >= 1000
    classes = Counter()
    for number in range(volume.LAYERS):
        classes.update(examined(number))
    missing = {name: (classes[name], least) for name, least in _least().items() if classes[name] < least}
    assert not missing, missing


def test_the_volume_is_legal():
    for number in range(volume.LAYERS):
        case = volume.layer(number)
        source = Node.make("x", "input", shape=case.x.shape[1:])
        graph = Graph((source, case.node), ("x",), ("layer",))
        check_integer(graph)
        formats = {"x": case.context.in_formats[0], "layer": case.context.out_format}
        check_runnable(graph, formats, case.context.datapath, infer(graph, {"x": case.x.shape}))
        assert case.x.min() in formats["x"] and case.x.max() in formats["x"]
        assert case.node.params["lo"] in formats["layer"] and case.node.params["hi"] in formats["layer"]
