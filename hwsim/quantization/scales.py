"""The word and the scale of every tensor: policies calib, frozen and lsb, ties, fixed scales (spec/arithmetic.md section 1).

A scale is an exact ratio; float(scale) is the float64 that the formulas of the law divide and multiply.
"""
from fractions import Fraction

from hwsim.errors import UsageError
from hwsim.fixed.formats import IntFormat
from hwsim.graph.fuse import ARRAY
from hwsim.graph.tie_scales import is_tied, tie_moves, tie_scales

PRE = ":pre"  # tensor `layer:pre`: what a layer gives before its folded activation


def find_words(graph, config):
    """tensor -> IntFormat: signed A bits; exact moves keep the word of what they move."""
    for name in config.layer_bits:
        if name not in graph.by_name or is_tied(graph[name]):
            raise UsageError(f"layer_bits must name layers that make values, not {name!r}")
    words = {}
    for node in graph.nodes:
        if node.op == "input":
            _check_sensor(node.name, config)
        own = IntFormat(config.bits_of(node.name)[0])
        words[node.name] = words[node.inputs[0]] if is_tied(node) else own
    return words


def _check_sensor(name, config):
    """Under calib an input word holds every code of the sensor, so that its quantizer is the identity."""
    bits = config.bits_of(name)[0]
    if config.scale_policy == "calib" and config.input_bits is not None and bits <= config.input_bits:
        raise UsageError(f"act_bits of {name} must be at least input_bits + 1 = {config.input_bits + 1}, not {bits}")


def reference_bits(config):
    """The width at which `frozen` and `lsb` compute scales: given, or the sensor's bits + 1, or act_bits."""
    if config.scale_ref_bits is not None:
        return config.scale_ref_bits
    return config.act_bits if config.input_bits is None else config.input_bits + 1


def sensor_bits(config):
    """b of the policy lsb: S = 2^k / (2^b - 1)."""
    return reference_bits(config) - 1 if config.input_bits is None else config.input_bits


def scale_bits(word, config):
    """The width whose highest code stands for amax: the tensor's own under calib, else the reference width."""
    return word.bits if config.scale_policy == "calib" else reference_bits(config)


def scale_from(amax, word, config):
    """The scale that a policy gives a tensor of range -amax..amax: amax / (2^(bits-1) - 1), lsb: the next power of two."""
    amax = Fraction(amax) or Fraction(1)
    top = (1 << (scale_bits(word, config) - 1)) - 1
    if config.scale_policy != "lsb":
        return amax / top
    unit = Fraction(1, (1 << sensor_bits(config)) - 1)
    return unit * next_power(amax / (top * unit))


def next_power(ratio):
    """The least power of two, as a Fraction, that is at least the positive Fraction `ratio`."""
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length() - 1
    power = Fraction(2) ** exponent
    while power < ratio:
        power *= 2
    return power


def find_scales(graph, words, calibration, config):
    """tensor -> Fraction; for an unfolded requantizer also `layer:pre`, the result of an array layer before its activation."""
    fixed = _fixed_roots(graph, config)
    ties = tie_scales(graph, words, fixed)
    ranges = _group_ranges(graph, ties, calibration)
    roots = {root: fixed[root] if root in fixed else scale_from(ranges[root], words[root], config) for root in ranges}
    found = {name: roots[tie.root] * tie.ratio for name, tie in ties.items()}
    return found if config.fold_prelu else found | _before_activation(graph, words, found, calibration, config)


def kept_inputs(graph, words, config):
    """concat -> per input, whether it stands at the output's scale whatever calibration finds: tied, or decided equal."""
    fixed = _fixed_roots(graph, config)
    ties = tie_scales(graph, words, fixed)
    known = {name: fixed[tie.root] * tie.ratio if tie.root in fixed else tie for name, tie in ties.items()}
    joins = [node for node in graph.nodes if node.op == "concat"]
    return {node.name: tuple(known[name] == known[node.name] for name in node.inputs) for node in joins}


def _fixed_roots(graph, config):
    """root of tie_moves -> scale decided from outside; a given scale or sensor width comes before lsb's rule for outputs."""
    ties, fixed, first = tie_moves(graph), {}, {}
    for name, scale in _given(graph, config).items():
        tie = ties[name]
        root_scale = scale / tie.ratio
        if fixed.setdefault(tie.root, root_scale) != root_scale:
            raise UsageError(f"scale of {name} must be {float(fixed[tie.root] * tie.ratio)!r}, as its codes are those of "
                             f"{first[tie.root]}, not {float(scale)!r}")
        first.setdefault(tie.root, name)
    if config.scale_policy == "lsb":
        unit = Fraction(1, (1 << sensor_bits(config)) - 1)
        for name in (*graph.inputs, *graph.outputs):
            fixed.setdefault(ties[name].root, unit / ties[name].ratio)
    return fixed


def _given(graph, config):
    """tensor -> scale from the option input_bits and from the file of fixed scales."""
    given = {} if config.input_bits is None else dict.fromkeys(graph.inputs, Fraction(1, (1 << config.input_bits) - 1))
    for name, value in config.scales.items():
        tensor = name.removesuffix(PRE)
        if tensor not in graph.by_name:
            raise UsageError(f"scales must name tensors of the network, not {name!r}")
        if name == tensor and name not in given:
            given[name] = _positive(name, value)
        elif name in given and float(given[name]) != float(value):
            raise UsageError(f"scale of {name} must be {float(given[name])!r} with input_bits {config.input_bits}, not {value!r}")
    return given


def _positive(name, value):
    if not 0 < value < float("inf"):
        raise UsageError(f"scale of {name} must be positive and finite, not {value!r}")
    return Fraction(value)


def _group_ranges(graph, ties, calibration):
    """root -> the largest amax of the tensors tied to it that hold values of their own, at the root's ratio."""
    ranges = {}
    for node in graph.nodes:
        if not is_tied(node):
            tie = ties[node.name]
            own = Fraction(calibration.range_of(node.name)) / tie.ratio
            ranges[tie.root] = max(ranges.get(tie.root, own), own)
    return ranges


def _before_activation(graph, words, scales, calibration, config):
    """S_conv of every array layer: its own where an activation follows, else the scale of its output."""
    found = {}
    for node in graph.nodes:
        key = node.name + PRE
        if has_activation(node):
            fixed = config.scales.get(key)
            found[key] = (scale_from(calibration.range_of(key), words[node.name], config) if fixed is None
                          else _positive(key, fixed))
        elif node.op in ARRAY:
            found[key] = scales[node.name]
    return found


def has_activation(node):
    """Whether an array layer carries a folded activation, so that its `:pre` tensor differs from its output."""
    return node.op in ARRAY and (node.params["alpha"] is not None or node.params["clip"] is not None)
