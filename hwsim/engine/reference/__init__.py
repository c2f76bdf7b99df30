"""The reference engine: the integer law in the spec's own loop form, one short file per operator. Slow and exact.

It shares no code with the fast engine (docs/engines.md): it does its own groups, phases, rounding and accumulation.
"""
from hwsim.engine.context import HostEngine
from hwsim.engine.reference.table import run_node

ENGINE = HostEngine("reference", run_node)
