"""Every room's table of operators is complete: a forgotten operator fails here, by the name of the room and of the operator."""
import pytest

from hwsim.engine.fast.portable.operators import OPERATORS as PORTABLE
from hwsim.engine.fast.vector.operators import OPERATORS as PASSES
from hwsim.engine.reference.table import OPERATORS as REFERENCE
from hwsim.graph.rows import RULES as ROWS
from hwsim.hw.accumulator.reach import RULES as REACH
from hwsim.hw.costs.advice import VECTOR_ADVICE
from hwsim.hw.costs.memory import WAITING_ROWS
from hwsim.hw.costs.vector_cycles import READS
from hwsim.ops.cut import _CUT as CUT
from hwsim.ops.cut import ARRAY_OPS
from hwsim.ops.spec import ADDRESS, ARRAY, BOTH, FLOAT, INTEGER, VECTOR, Trait
from hwsim.ops.table import OPS, ops_with
from hwsim.quantization.convert_vector import VECTOR as CONVERT
from hwsim.quantization.float_net.ops.table import FLOAT_OPS
from hwsim.quantization.shape_twin import GEOMETRY

INPUT = {"input"}
LOWERED = {"affine", "softmax"}     # graph.lower leaves none of them


def tables():
    """room -> (its table, the operators that it must hold)."""
    late, on_array = ops_with(Trait.UNPLACED), ops_with(unit=ARRAY)
    run = ops_with(dialect=INTEGER) - INPUT - late
    return {
        "graph/rows": (ROWS, set(OPS)),
        "ops/cut": (CUT, ARRAY_OPS),
        "quantization/float_net": (FLOAT_OPS, ops_with(dialect=FLOAT) - INPUT),
        "quantization/convert_vector": (CONVERT, ops_with(dialect=FLOAT) - on_array - LOWERED),
        "engine/reference": (REFERENCE, run),
        "engine/fast/portable": (PORTABLE, run - on_array),
        "engine/fast/vector": (PASSES, run - on_array),
        "hw/accumulator/reach": (REACH, ops_with(dialect=INTEGER) - late - on_array),
        "hw/costs/vector_cycles": (READS, ops_with(unit=VECTOR)),
        "hw/costs/memory": (WAITING_ROWS, ops_with(unit=VECTOR)),
        "hw/costs/advice": (VECTOR_ADVICE, ops_with(unit=VECTOR)),
        "quantization/shape_twin": (GEOMETRY, ops_with(dialect=FLOAT, unit=ARRAY)),
    }


MOVES = {"upsample_nearest", "depth_to_space", "space_to_depth", "pad", "crop", "slice", "reshape", "flatten"}
MAXIMA = {"max_pool", "global_max_pool"}
TRAITS = {
    Trait.MOVES: MOVES | {"identity", "scale"},
    Trait.KEEPS_CODES: MOVES | MAXIMA | {"identity", "scale"},
    Trait.TIED: MOVES | MAXIMA | {"identity", "scale", "bilinear"},
    Trait.WINDOW: {"conv2d", "qconv2d", "max_pool", "avg_pool", "qavg_pool"},
    Trait.GLOBAL: {"global_max_pool", "global_avg_pool", "qglobal_avg_pool"},
    Trait.PER_INPUT: {"qadd", "qmaximum", "qminimum", "qconcat"},
    Trait.EACH: {"qmaximum", "qminimum", "qconcat"},
    Trait.UNPLACED: {"qglobal_avg_pool"},
    Trait.PIXELWISE: {"input", "affine", "scale", "relu", "prelu", "clip", "unary", "softmax", "dense", "qdense", "identity",
                      "qprelu", "qtable", "add", "subtract", "multiply", "average", "maximum", "minimum", "concat", "qadd",
                      "qmul", "qmaximum", "qminimum", "qconcat"},
}


# engine/legality has no table: it checks a node by its parameters and traits. What it, or the clamp check of graph/integer,
# knows of is VALUES; ops/requant holds WEIGHTS to each other; SIZES decide shapes, which graph/shapes infers.
VALUES = {"m", "m_pos", "m_neg", "m2", "alpha_q", "shift", "shift2", "bias", "table", "taps", "lo", "hi"}
WEIGHTS = {"codes", "w_format", "w_bits", "flags", "rowpack"}
SIZES = {"kernel", "stride", "dilation", "padding", "groups", "crop", "pad", "factor", "block", "order", "axis", "start", "stop",
         "shape", "keepdims"}


def in_engines():
    """The operators that an engine runs."""
    return ops_with(dialect=INTEGER) - INPUT - ops_with(Trait.UNPLACED)


def with_parameter(name):
    return {op for op in in_engines() if name in OPS[op].params}


@pytest.mark.parametrize("room", tables())
def test_nothing_is_forgotten(room):
    table, needed = tables()[room]
    assert set(table) == set(needed)


@pytest.mark.parametrize("trait", Trait, ids=lambda trait: trait.name)
def test_who_has_a_trait(trait):
    assert ops_with(trait) == TRAITS[trait]


def test_the_units():
    assert ops_with(unit=ARRAY) == {"conv2d", "conv2d_transpose", "dense", "qconv2d", "qconv2d_transpose", "qdense"}
    assert ops_with(unit=ADDRESS) == MOVES | {"input", "scale", "identity"}


def test_what_stands_in_both_graphs_computes_nothing():
    assert {name for name, spec in OPS.items() if spec.dialect == BOTH} == MOVES | MAXIMA | INPUT


def test_every_integer_parameter_has_a_check():
    assert {name for op in in_engines() for name in OPS[op].params} == VALUES | WEIGHTS | SIZES


def test_legality_meets_every_operator_of_its_rules():
    """A table is checked for qtable, a window by its trait, one multiplier for each input by its trait; qmul has one in all."""
    assert with_parameter("table") == {"qtable"}
    assert with_parameter("taps") == {"qavg_pool"}
    assert with_parameter("kernel") == ops_with(Trait.WINDOW, INTEGER, VECTOR)
    assert {op for op in with_parameter("m") if OPS[op].arity[1] > 1} == ops_with(Trait.PER_INPUT, INTEGER) | {"qmul"}


@pytest.mark.parametrize("op", sorted(in_engines()))
def test_an_integer_operator_says_what_it_emits(op):
    """It keeps codes, clamps or looks up: so legality knows that its codes fit, and fast/storage_type in which type."""
    params, traits = OPS[op].params, OPS[op].traits
    assert [Trait.KEEPS_CODES in traits, "lo" in params, "table" in params].count(True) == 1
    assert ("lo" in params) == ("hi" in params)


def test_a_query_joins_its_conditions():
    assert ops_with(Trait.WINDOW, INTEGER, VECTOR) == {"max_pool", "qavg_pool"}
    assert ops_with(Trait.KEEPS_CODES | Trait.GLOBAL) == {"global_max_pool"}
    assert ops_with() == set(OPS)


def test_traits_that_follow_from_others():
    """A move keeps its codes, and what keeps its codes keeps its word; who requantizes each input has one multiplier for each."""
    assert ops_with(Trait.MOVES) <= ops_with(Trait.KEEPS_CODES) <= ops_with(Trait.TIED)
    assert ops_with(Trait.EACH) <= ops_with(Trait.PER_INPUT)


# Integer operators of the fast engine without a compiled pass: they run in numpy, slower and with the same bits.
NUMPY_ALONE: set[str] = set()


def test_every_operator_has_a_compiled_pass():
    assert {op for op, run in PASSES.items() if run is PORTABLE[op]} == NUMPY_ALONE
