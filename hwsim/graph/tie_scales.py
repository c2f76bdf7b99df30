"""Which tensors share one scale (spec/arithmetic.md section 6): an analysis, it changes no graph.

Exact moves, maximum pools and bilinear resizing keep the codes of their input and so its scale; `scale` nodes keep the
codes too, so their scale is a fixed ratio of it. A concatenation ties its inputs to its output, because then it moves
codes and rounds nothing, except an input whose scale is already decided, whose word differs, or that is tied at another ratio.
"""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from hwsim.graph.node import Graph, Node
from hwsim.ops.spec import Trait


@dataclass(frozen=True)
class Tie:
    """scale(tensor) = ratio * scale(root); a root is tied to itself at ratio 1."""

    root: str
    ratio: Fraction


def is_tied(node: Node) -> bool:
    """Whether the output has the word of the input and its scale times a fixed ratio."""
    return Trait.TIED in node.spec.traits


def tie_moves(graph: Graph) -> dict[str, Tie]:
    """tensor -> Tie to the tensor whose codes it holds."""
    ties: dict[str, Tie] = {}
    for node in graph.nodes:
        ties[node.name] = _through(node, ties) if is_tied(node) else Tie(node.name, Fraction(1))
    return ties


def _through(node: Node, ties: Mapping[str, Tie]) -> Tie:
    """The tie of a move's output: that of its input, times the factor of a `scale`."""
    source = ties[node.inputs[0]]
    factor = Fraction(node.params["factor"]) if node.op == "scale" else Fraction(1)
    return Tie(source.root, source.ratio * factor)


def tie_scales(graph: Graph, words: Mapping[str, object], decided: Collection[str] = ()) -> dict[str, Tie]:
    """tensor -> Tie, with concatenations tied as well.

    words: tensor -> its format; decided: roots of tie_moves whose scale is fixed from outside (input bits, given scales).
    """
    ties = tie_moves(graph)
    for node in graph.nodes:
        if node.op == "concat":
            outside = set(decided) - _common_root(node, ties)
            for name in node.inputs:
                ties = _with_concat(ties, name, node.name, words, outside)
    return ties


def _common_root(node: Node, ties: Mapping[str, Tie]) -> set[str]:
    """{root} where all inputs of a concatenation have one scale anyway: it takes that scale, decided or not, and only moves."""
    scales = {ties[name] for name in node.inputs}
    return {ties[node.inputs[0]].root} if len(scales) == 1 else set()


def _with_concat(ties: dict[str, Tie], name: str, concat: str, words: Mapping[str, object],
                 decided: Collection[str]) -> dict[str, Tie]:
    """The ties with scale(name) = scale(concat), unless something forbids it."""
    a, b = ties[name], ties[concat]
    if a.root == b.root or words[name] != words[concat] or a.root in decided or b.root in decided:
        return ties
    # scale(a.root) * a.ratio = scale(b.root) * b.ratio
    step = a.ratio / b.ratio
    return {tensor: Tie(a.root, tie.ratio * step) if tie.root == b.root else tie for tensor, tie in ties.items()}
