"""The registry of operators: name -> OpSpec, and which operators have a trait. To add one, write its file and name it here.

Other rooms keep a table of their own, from operator to what they do with it; tests/ops/test_tables.py lists these tables and
holds each of them complete.
"""
from hwsim.ops import bilinear, conv2d, conv2d_transpose, dense, input, merge, moves, pointwise, pool
from hwsim.ops.spec import BOTH, OpSpec, Trait

OPS: dict[str, OpSpec] = {spec.name: spec
                          for module in (input, conv2d, conv2d_transpose, dense, pointwise, merge, pool, moves, bilinear)
                          for spec in module.OPS}


def ops_with(traits: Trait = Trait.NONE, dialect: str | None = None, unit: str | None = None) -> frozenset[str]:
    """The names of the operators that have all `traits`, may stand in graphs of `dialect` and run on `unit`; None: any."""
    return frozenset(name for name, spec in OPS.items()
                     if traits in spec.traits and (dialect in (None, spec.dialect) or spec.dialect == BOTH)
                     and unit in (None, spec.unit))
