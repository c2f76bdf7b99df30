"""The word and the scale of every tensor: policies calib, frozen and lsb, ties, fixed scales (spec/arithmetic.md section 1).

A scale is an exact ratio; float(scale) is the float64 that the formulas of the specification divide and multiply.
"""
from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.fuse import ARRAY
from hwsim.graph.node import Graph, Node
from hwsim.graph.tie_scales import Tie, is_tied, tie_moves, tie_scales
from hwsim.quantization.scale_policy import Scale, policy_of

if TYPE_CHECKING:
    from hwsim.quantization.calibration import Calibration
    from hwsim.quantization.config import Config

PRE = ":pre"  # tensor `layer:pre`: what a layer gives before its folded activation


def find_words(graph: Graph, config: Config) -> dict[str, IntFormat]:
    """tensor -> IntFormat: signed A bits; exact moves keep the word of what they move.

    Errors: UsageError for a layer_bits that names no layer, or one that makes no values.
    """
    for name in config.layer_bits:
        if name not in graph.by_name or is_tied(graph[name]):
            raise UsageError(f"layer_bits must name layers that make values, not {name!r}")
    words: dict[str, IntFormat] = {}
    for node in graph.nodes:
        if node.op == "input":
            policy_of(config).check_input(node.name, config)
        own = IntFormat(config.bits_of(node.name)[0])
        words[node.name] = words[node.inputs[0]] if is_tied(node) else own
    return words


def scale_from(amax: float | Fraction, word: IntFormat, config: Config) -> Scale:
    """The scale that the policy of `config` gives a tensor of range -amax..amax; a tensor that was always 0 counts as 1."""
    return policy_of(config).scale(Fraction(amax) or Fraction(1), word, config)


def find_scales(graph: Graph, words: Mapping[str, IntFormat], calibration: Calibration, config: Config) -> dict[str, Scale]:
    """tensor -> Fraction; for an unfolded requantizer also `layer:pre`, the result of an array layer before its activation."""
    fixed = _fixed_roots(graph, config)
    ties = tie_scales(graph, words, fixed)
    ranges = _group_ranges(graph, ties, calibration)
    roots = {root: fixed[root] if root in fixed else scale_from(ranges[root], words[root], config) for root in ranges}
    scales = {name: roots[tie.root] * tie.ratio for name, tie in ties.items()}
    return scales if config.fold_prelu else scales | _before_activation(graph, words, scales, calibration, config)


def kept_inputs(graph: Graph, words: Mapping[str, IntFormat], config: Config) -> dict[str, tuple[bool, ...]]:
    """concat -> per input, whether it stands at the output's scale whatever calibration finds: tied, or decided equal."""
    fixed = _fixed_roots(graph, config)
    ties = tie_scales(graph, words, fixed)
    known = {name: fixed[tie.root] * tie.ratio if tie.root in fixed else tie for name, tie in ties.items()}
    joins = [node for node in graph.nodes if node.op == "concat"]
    return {node.name: tuple(known[name] == known[node.name] for name in node.inputs) for node in joins}


def _fixed_roots(graph: Graph, config: Config) -> dict[str, Scale]:
    """root of tie_moves -> scale decided from outside; a given scale or sensor width comes before the policy's."""
    ties = tie_moves(graph)
    fixed: dict[str, Scale] = {}
    first: dict[str, str] = {}
    for name, scale in _decided(graph, config).items():
        tie = ties[name]
        root_scale = scale / tie.ratio
        if fixed.setdefault(tie.root, root_scale) != root_scale:
            raise UsageError(f"scale of {name} must be {float(fixed[tie.root] * tie.ratio)!r}, as its codes are those of "
                             f"{first[tie.root]}, not {float(scale)!r}")
        first.setdefault(tie.root, name)
    unit = policy_of(config).boundary_scale(config)
    if unit is not None:
        for name in (*graph.inputs, *graph.outputs):
            fixed.setdefault(ties[name].root, unit / ties[name].ratio)
    return fixed


def _decided(graph: Graph, config: Config) -> dict[str, Scale]:
    """tensor -> scale from the option input_bits and from the file of fixed scales."""
    decided = {} if config.input_bits is None else dict.fromkeys(graph.inputs, Fraction(1, (1 << config.input_bits) - 1))
    for name, value in config.scales.items():
        tensor = name.removesuffix(PRE)
        if tensor not in graph.by_name:
            raise UsageError(f"scales must name tensors of the network, not {name!r}")
        if name == tensor and name not in decided:
            decided[name] = _positive(name, value)
        elif name in decided and float(decided[name]) != float(value):
            raise UsageError(f"scale of {name} must be {float(decided[name])!r} with input_bits {config.input_bits}, "
                             f"not {value!r}")
    return decided


def _positive(name: str, value: float) -> Scale:
    if not 0 < value < float("inf"):
        raise UsageError(f"scale of {name} must be positive and finite, not {value!r}")
    return Fraction(value)


def _group_ranges(graph: Graph, ties: Mapping[str, Tie], calibration: Calibration) -> dict[str, Fraction]:
    """root -> the largest amax of the tensors tied to it that hold values of their own, at the root's ratio."""
    ranges: dict[str, Fraction] = {}
    for node in graph.nodes:
        if not is_tied(node):
            tie = ties[node.name]
            own = Fraction(calibration.range_of(node.name)) / tie.ratio
            ranges[tie.root] = max(ranges.get(tie.root, own), own)
    return ranges


def _before_activation(graph: Graph, words: Mapping[str, IntFormat], scales: Mapping[str, Scale], calibration: Calibration,
                       config: Config) -> dict[str, Scale]:
    """S_conv of every array layer: its own where an activation follows, else the scale of its output."""
    before = {}
    for node in graph.nodes:
        key = node.name + PRE
        if has_activation(node):
            fixed = config.scales.get(key)
            before[key] = (scale_from(calibration.range_of(key), words[node.name], config) if fixed is None
                          else _positive(key, fixed))
        elif node.op in ARRAY:
            before[key] = scales[node.name]
    return before


def has_activation(node: Node) -> bool:
    """Whether an array layer carries a folded activation, so that its `:pre` tensor differs from its output."""
    return node.op in ARRAY and (node.params["alpha"] is not None or node.params["clip"] is not None)
