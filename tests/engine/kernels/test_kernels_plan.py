"""Which way a layer takes is proven from its weights, printed, and never costs a bit or a run."""
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.kernel_layers import assert_exact, on_rung, plain_layer
from hwsim.engine.context import Context
from hwsim.engine.host import jit
from hwsim.engine.kernels import build, conv, plan, proofs
from hwsim.engine.kernels.target import Rung, ladder
from hwsim.errors import UsageError
from hwsim.fixed.formats import Datapath, IntFormat, Overflow, Rounding
from hwsim.ops.cut import cut

REPOSITORY = Path(__file__).resolve().parents[3]
I11, I8, I16 = IntFormat(11), IntFormat(8), IntFormat(16)
AVX512 = Rung("avx512", 16, {1: 12, 2: 8}, {1: 12, 2: 8}, "", vnni=True)


def layer_of(*args, **changes):
    node, x = plain_layer(*args, **changes)
    return cut(node, x.shape)[0].layer


@pytest.mark.parametrize("changes, datapath, fmt, monitor, text", [
    ({}, Datapath(), I11, False, "dot16 avx512 plain, word-half-up"),
    ({}, Datapath(), I8, False, "dot8 avx512 plain, word-half-up"),
    ({}, Datapath(), I11, True, "dot16 avx512 watch, word-half-up"),
    ({}, Datapath(20), I11, False, "dot16 avx512 wrap, word-half-up"),
    ({}, Datapath(20, Overflow.SATURATE), I11, False, "dot16 avx512 saturate, word-half-up"),
    ({}, Datapath(48, Overflow.SATURATE), I11, False, "dot16 avx512 plain, word-half-up"),
    ({}, Datapath(20, Overflow.ERROR), I11, False, "dot16 avx512 watch, word-half-up"),
    ({}, Datapath(rounding=Rounding.HALF_EVEN), I11, False, "dot16 avx512 plain, half-even"),
    ({}, Datapath(rounding=Rounding.FLOOR), I11, False, "dot16 avx512 plain, word-floor"),
    ({"codes": np.full((1, 32, 3, 3, 32), 4095), "w_bits": 13}, Datapath(), I11, True,
     "dot16 avx512 observe, word-half-up"),
    ({"lo": -(1 << 14)}, Datapath(), I11, False, "dot16 avx512 plain, high-half-up"),
    ({"lo": 1}, Datapath(), I11, False, "dot16 avx512 plain, high-half-up"),
    ({"shift": np.full(32, 3)}, Datapath(), I11, False, "dot16 avx512 plain, half-up"),
    ({"codes": np.full((1, 32, 3, 3, 32), 32767), "w_bits": 16}, Datapath(), I11, False,
     "split avx512 plain, none (sums may need more than 32 bits)"),
    ({"codes": np.full((1, 32, 3, 3, 32), -32768), "w_bits": 16}, Datapath(), I16, False,
     "split avx512 plain, none (products may need more than 32 bits)"),
    ({"codes": np.full((1, 32, 3, 3, 32), 32767), "w_bits": 16}, Datapath(32, Overflow.SATURATE), I16, False,
     "beats avx512 saturate, none (a saturating accumulator plus a beat may need more than 32 bits)"),
    ({"codes": np.full((1, 32, 3, 3, 32), -32768), "w_bits": 16}, Datapath(), I16, True,
     "beats avx512 observe, none (products may need more than 32 bits)"),
    ({"codes": np.full((1, 32, 3, 3, 32), 32767), "w_bits": 16}, Datapath(), I16, True,
     "beats avx512 observe, none (exact partial sums may need more than 32 bits)"),
    ({}, Datapath(), IntFormat(16, signed=False), False, "portable (activations of more than 16 bits)"),
    ({"codes": np.full((1, 32, 3, 3, 32), 32767), "w_bits": 16}, Datapath(), IntFormat(16, signed=False), True,
     "portable (activations of more than 16 bits)"),
])
def test_plans(changes, datapath, fmt, monitor, text):
    facts = plan.Facts(layer_of(32, 32, (3, 3), (4, 9), **changes), datapath, fmt)
    assert str(plan.plan_of(facts, monitor, AVX512)) == text


def test_bytes_need_an_instruction_of_their_own():
    facts = plan.Facts(layer_of(32, 32, (3, 3), (4, 9)), Datapath(), I8)
    assert str(plan.plan_of(facts, False, replace(AVX512, vnni=False))) == "dot16 avx512 plain, word-half-up"


def test_stays_inside_at_the_edge():
    """w = [3,-2,1,-1] with codes of 8 bits: -893..892, which 11 bits hold and 10 do not."""
    weights, bias = np.array([[3, -2, 1, -1]]), np.array([0])
    assert proofs.stays_inside(weights, bias, I8, IntFormat(11)).tolist() == [True]
    assert proofs.stays_inside(weights, bias, I8, IntFormat(10)).tolist() == [False]
    assert proofs.stays_inside(weights, np.array([131]), I8, IntFormat(11)).tolist() == [True]
    assert proofs.stays_inside(weights, np.array([132]), I8, IntFormat(11)).tolist() == [False]


def test_exact_in_32_bits_at_the_edge():
    reach = 2 * 32767 * 1024
    for bias, exact in (((1 << 31) - 1 - reach, True), ((1 << 31) - reach, False)):
        layer = layer_of(1, 2, (1, 1), (1, 1), codes=np.full((1, 1, 1, 1, 2), 32767), w_bits=16, bias=np.array([bias]))
        assert plan.Facts(layer, Datapath(), I11).exact32 == exact


def test_a_pair_of_smallest_products_is_not_exact():
    assert proofs.pairs_exact(np.array([-32767]), I16) and proofs.pairs_exact(np.array([-32768]), IntFormat(15))
    assert not proofs.pairs_exact(np.array([-32768]), I16)
    assert not proofs.pairs_exact(np.array([32768]), I8)
    assert not proofs.pairs_exact(np.array([1]), IntFormat(16, signed=False))


def test_input_and_output_are_checked():
    layer = layer_of(3, 2, (3, 3), (4, 5))
    prepared = conv.prepare(layer, Datapath(), I11, False, ladder()[:1])
    with pytest.raises(UsageError, match=r"^layer: input codes must be a contiguous array of signed integers \(N, 4, 5, 2\), "
                                         r"not int32 \(1, 4, 6, 2\)$"):
        conv.run_layer(prepared, np.zeros((1, 4, 6, 2), np.int32), np.zeros((1, 4, 5, 3), np.int16), None)
    with pytest.raises(UsageError, match=r"^layer: outputs must be a writeable array of int16 \(1, 4, 5, 3\), "
                                         r"not int32 \(1, 4, 5, 3\)$"):
        conv.run_layer(prepared, np.zeros((1, 4, 5, 2), np.int32), np.zeros((1, 4, 5, 3), np.int32), None)


def test_a_kernel_that_does_not_compile_costs_one_rung(monkeypatch):
    node, x = plain_layer(16, 8, (3, 3), (4, 9))
    context, first, real = Context(Datapath(), (I11,), I11), ladder()[0], build.kernel

    def broken(variant):
        if variant.lanes == first.lanes:
            raise RuntimeError("no such instruction\nat all")
        return real(variant)

    monkeypatch.setattr(build, "kernel", broken)
    monkeypatch.setattr(jit, "_WARNED", set())
    with pytest.warns(UserWarning, match=rf"^kernels for {first.name} could not be compiled, a slower path gives the same bits "
                                         r"\(RuntimeError: no such instruction\)$"):
        prepared = conv.prepare(cut(node, x.shape)[0].layer, Datapath(), I11, False, ladder())
    assert prepared.plan.rung == ladder()[1].name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_exact(node, x, context, first)  # once is enough; the loops below the kernels take over


SCRIPT = """
import sys
sys.path.insert(0, "tests")
from helpers.kernel_layers import assert_exact, plain_layer
from hwsim.engine import reference
from hwsim.engine.context import Context
from hwsim.engine.fast import ENGINE
from hwsim.engine.kernels.target import Rung, ladder
from hwsim.fixed.formats import Datapath, IntFormat, Overflow
print(*[rung.name for rung in ladder()])
node, x = plain_layer(20, 17, (3, 3), (3, 13))
for datapath, monitor in ((Datapath(), False), (Datapath(18, Overflow.SATURATE), True)):
    context = Context(datapath, (IntFormat(11),), IntFormat(11), monitor)
    y, stats = ENGINE.run_node(node, [x], context)
    expected, counters = reference.ENGINE.run_node(node, [x], context)
    assert (y == expected).all() and (stats.events, stats.first) == (counters.events, counters.first)
"""
AVX2 = "+avx,+avx2,+bmi,+bmi2,+fma,+sse4.1,+sse4.2,+ssse3,+popcnt"


@pytest.mark.skipif(not ladder(), reason="needs x86-64")
@pytest.mark.parametrize("settings, rungs", [
    ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2}, "avx2 sse2"),
    ({"NUMBA_CPU_NAME": "generic"}, "sse2"),
    ({"NUMBA_DISABLE_JIT": "1"}, ""),
])
def test_the_target_decides(settings, rungs):
    assert _python(SCRIPT, settings) == rungs


CACHED = """
import sys
sys.path.insert(0, "tests")
from helpers.kernel_layers import plain_layer
from hwsim.engine.context import Context
from hwsim.engine.fast.portable import compiled, requantize
from hwsim.engine.fast.backend import COMPILED, KERNELS
from hwsim.engine.fast.table import run_node
from hwsim.engine.kernels import fill, microkernel
from hwsim.fixed.formats import Datapath, IntFormat
kernels, real = [], microkernel.compiled
microkernel.compiled = lambda *args: kernels.append(real(*args)) or kernels[-1]
node, x = plain_layer(20, 17, (3, 3), (3, 13))
for loops in (KERNELS, COMPILED):
    run_node(node, [x], Context(Datapath(), (IntFormat(11),), IntFormat(11)), loops)
used = (*kernels, fill.fill, compiled.plain, requantize.folded_compiled)
print(*[sum(f.stats.cache_hits.values()) - sum(f.stats.cache_misses.values()) for f in used])
"""
UNREADABLE = "compiled code in the cache could not be read"


def test_compiled_code_is_found_again_and_a_damaged_cache_made_again(tmp_path):
    settings = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = _python(CACHED, settings), _python(CACHED, settings)
    assert set(first.split()) == {"-1"} and set(second.split()) == {"1"}
    for kind in ("nbi", "nbc"):
        for file in tmp_path.rglob(f"*.{kind}"):
            file.write_bytes(b"damaged")
        assert _run(CACHED, settings).stderr.count(UNREADABLE) == 1
        assert set(_python(CACHED, settings).split()) == {"1"}


@pytest.mark.parametrize("fault", [OSError("read-only"), PermissionError("not yours")])
def test_a_folder_that_cannot_be_written_is_one_warning(monkeypatch, fault):
    def unwritable(*_):
        raise fault

    monkeypatch.setattr(jit, "_WARNED", set())
    with pytest.warns(UserWarning, match="^compiled code cannot be kept: no folder can be written") as warned:
        nowhere = {}
        exec("def double(x): return 2 * x", nowhere)
        assert jit.compiled(nowhere["double"])(21) == 42
        monkeypatch.setattr(jit.FunctionCache, "_save_overload", unwritable)
        monkeypatch.setattr(jit.FunctionCache, "_load_overload", lambda *_: None)
        assert jit.compiled(_negated)(21) == -21
    assert len(warned) == 1


def _negated(x):
    return -x


def _run(script, settings, *options):
    return subprocess.run([sys.executable, *options, "-c", script], cwd=REPOSITORY, capture_output=True, text=True,
                          env={**os.environ, **settings})


def _python(script, settings):
    done = _run(script, settings, "-W", "error::UserWarning")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_rung_runs_in_this_process():
    node, x = plain_layer(20, 17, (3, 3), (3, 13))
    context = Context(Datapath(), (I11,), I11)
    first, *others = [on_rung(node, x, context, rung)[0] for rung in ladder()]
    for other in others:
        np.testing.assert_array_equal(other, first)
