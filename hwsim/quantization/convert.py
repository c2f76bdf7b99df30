"""From the float network and its calibration to the integer network: the last place where a float is read."""
from __future__ import annotations

from collections.abc import Mapping

from hwsim.errors import UsageError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.graph.accumulator import safe_bits
from hwsim.graph.check import check_integer
from hwsim.graph.fuse import ARRAY
from hwsim.graph.integer import IntegerGraph, check_network
from hwsim.graph.node import Graph, Node
from hwsim.graph.pack_rows import pack_rows
from hwsim.graph.shapes import infer
from hwsim.quantization.calibration import Calibration
from hwsim.quantization.config import Config
from hwsim.quantization.conversion import ConversionContext
from hwsim.quantization.convert_array import convert_array
from hwsim.quantization.convert_vector import VECTOR
from hwsim.quantization.prepare import prepare
from hwsim.settings import translate


def quantize(graph: Graph, calibration: Calibration, config: Config, source: Mapping[str, object] | None = None) -> IntegerGraph:
    """The IntegerGraph of a float `graph` (prepared here, if it is not yet): integers only, scales at inputs and outputs only.

    calibration: of the same graph (calibrate); config: every option; source: JSON-like provenance {path, sha256, parameters}.
    Errors: QuantizeError for a bias, multiplier, slope or accumulator that does not fit, UsageError for an option that
    names no layer, UnsupportedError for a layer without integer counterpart.
    """
    if not isinstance(graph, Graph):
        raise UsageError(f"hwsim.quantize must be given a float Graph, as hwsim.load makes it, not {type(graph).__name__}")
    notes: list[str] = []
    prepared = prepare(graph, lambda layer, text: notes.append(f"{layer}: {text}"))
    words = config.quantizer.words(prepared, config)
    scales = config.quantizer.scales(prepared, words, calibration, config)
    context = ConversionContext(words, scales, infer(prepared), config)
    nodes = tuple(integer for node in prepared.nodes for integer in convert_node(node, context))
    integer = check_integer(Graph(nodes, prepared.inputs, prepared.outputs, prepared.layout))
    integer = pack_rows(integer, notes.append, config.tn) if config.rowpack else integer
    meta = {"source": dict(source or {"path": None, "sha256": None, "parameters": graph.parameters}),
            "config": config.as_json(), "calibration": calibration.as_json(), "notes": [*notes, *calibration.notes]}
    of_tensors = {node.name: scales[node.name] for node in nodes}
    return check_network(IntegerGraph(graph=integer, formats=words, scales=of_tensors,
                                      datapath=datapath_of(config, integer, words), meta=meta))


def convert_node(node: Node, context: ConversionContext) -> tuple[Node, ...]:
    """The integer nodes of a prepared float node, the last under its name: as its quantizer says, else one."""
    own = context.config.quantizer.conversions.get(node.op)
    if own is not None:
        return own.nodes(node, context)
    return (convert_array(node, context) if node.op in ARRAY else VECTOR[node.op](node, context),)


def datapath_of(config: Config, graph: Graph, words: Mapping[str, IntFormat]) -> Datapath:
    """The Datapath of the options; acc_bits `auto` is the narrowest accumulator that these weights can never overflow."""
    acc_bits = safe_bits(graph, words) if config.acc_bits == "auto" else config.acc_bits
    return Datapath.from_json(translate(vars(config), "config", "datapath") | {"acc_bits": acc_bits})
