"""The fast engine: the same bits as the reference from compiled loops, or from numpy where numba may not compile.

It shares no code with the reference (docs/engines.md): array nodes are cut by ops/cut.py into ArrayLayers and each goes
through layer.run_layer, the one seam behind which kernels may change.
"""
from hwsim.engine.context import HostEngine
from hwsim.engine.fast.table import run_node
from hwsim.engine.host.memory import ARENA
from hwsim.graph.bands import ArrayRows

ENGINE = HostEngine("fast", run_node, ArrayRows(ARENA.empty))
