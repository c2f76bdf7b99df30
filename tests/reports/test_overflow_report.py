"""The overflow report: its keys and its text, for a layer whose narrow accumulator wraps."""
import json
from fractions import Fraction

import numpy as np
import pytest

from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph, Node
from hwsim.pipeline.overflow import observe_overflow, try_narrower
from hwsim.reports import overflow
from hwsim.reports.write import dumps

MODEL = {"path": "small.hwq", "sha256": "0" * 64, "parameters": 1}


def net():
    ones = np.ones(1, np.int64)
    fc = Node.make("fc", "qdense", ("x",), codes=np.ones((1, 1, 1, 1, 5), np.int64), bias=0 * ones, m_pos=ones, m_neg=ones,
                   shift=0 * ones, lo=-1024, hi=1023)
    graph = Graph((Node.make("x", "input", shape=(5,)), fc), ("x",), ("fc",))
    return IntegerGraph(graph, {"x": IntFormat(8), "fc": IntFormat(11)}, dict.fromkeys(("x", "fc"), Fraction(1, 100)),
                        Datapath(8, tn=1), {"config": {"acc_bits": 8}})


def found():
    x = {"x": np.full((1, 5), 127)}
    return overflow.report(MODEL, try_narrower(observe_overflow(net(), x), x))


def test_keys():
    report = json.loads(dumps(found()))
    (row,) = report["layers"]
    assert report["schema"] == "hwsim.overflow/1"
    assert row["bits"] == {"datatype": 18, "weights": 11, "reachable": 11, "observed": 11, "daq_rule": 17}
    assert (row["range"], row["observed"]) == ({"min": -640, "max": 635}, {"min": 127, "max": 635})
    first = {"layer": "fc", "n": 0, "cot": 0, "oy": 0, "ox": 0, "oc": 0, "ky": 0, "kx": 0, "cit": 1, "word": 0, "value": 254}
    assert row["events"] == {"count": 2, "first": first}
    assert (row["changed_outputs"], row["first_changed"], row["prefix_safe"]) == (1, [0, 0], True)
    assert report["total"]["smallest_safe"] == {"datatype": 18, "weights": 11, "reachable": 11, "observed": 11}
    assert report["what_if"]["widths"][0]["out_of_range"] == {"beats": 4, "pixels": 1, "outputs": 1}
    assert [rerun["acc_bits"] for rerun in report["what_if"]["reruns"]] == [11, 10, 9, 8]


def test_what_a_narrow_accumulator_observed_is_no_safe_width():
    x = {"x": np.full((1, 5), 127)}
    report = overflow.report(MODEL, observe_overflow(net(), x))
    assert report["total"]["smallest_safe"] == {"datatype": 18, "weights": 11, "reachable": 11, "observed": None}
    assert overflow.headline(report).endswith("smallest safe: datatype 18, weights 11, reachable 11")


def test_text():
    lines = [line for line in overflow.text(found(), channels=True) if isinstance(line, str)]
    assert "accumulator: 8 bits, wrap: 2 overflow events, 1 layer outputs changed by them; smallest safe: " \
           "datatype 18, weights 11, reachable 11, observed 11" in lines
    assert "first event of fc: layer fc, n 0, cot 0, oy 0, ox 0, oc 0, ky 0, kx 0, cit 1, word 0, value 254" in lines


def test_picture(tmp_path):
    pytest.importorskip("matplotlib")
    overflow.plot(found(), tmp_path / "overflow.svg")
    assert b"<svg" in (tmp_path / "overflow.svg").read_bytes()[:1000]
