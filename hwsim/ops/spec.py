"""One operator's entry in the table: what a legal node of it looks like, and what other rooms may rely on."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto

from hwsim.ops.kinds import Kind, Params, ShapeRule

FLOAT, INTEGER, BOTH = "float", "integer", "both"
ARRAY, VECTOR, ADDRESS = "array", "vector", "address"
ANY = 1 << 30


class Trait(Flag):
    """What an operator does to values, as far as more than one room asks; the rooms query it (ops.table.ops_with).

    The unit, the dialect and the parameters of an operator are no traits: its OpSpec says them already.
    """

    NONE = 0
    MOVES = auto()        # no value is computed: values change place, or nothing but their scale changes
    KEEPS_CODES = auto()  # every output code is a code of the input, or the 0 of padding: a move or a maximum
    TIED = auto()         # float: the output has the word of the input and its scale times a fixed ratio (graph.tie_scales)
    PIXELWISE = auto()    # a pixel of the output reads the same pixel of every input (of which axes of size 1 are broadcast)
    WINDOW = auto()       # an output reads a sliding window of the input: kernel, stride, padding
    GLOBAL = auto()       # an output reads a whole image
    PER_INPUT = auto()    # integer: m holds one multiplier per input
    EACH = auto()         # integer: every input is requantized on its own, and passes as it is where (m, shift) is (1, 0)
    UNPLACED = auto()     # integer: stands only until sizes are known; no engine meets it (graph.place_sizes)


KEPT = Trait.KEEPS_CODES | Trait.TIED
MOVED = Trait.MOVES | KEPT


@dataclass(frozen=True)
class OpSpec:
    """`shape(params, in_shapes)` gives the output shape (N first) or raises GraphError.

    dialect: the graphs in which the operator may stand (float, integer, or exact moves in both);
    unit:    what runs it on the device (spec/device.md section 5): array, vector or address;
    arity:   (least, most) number of inputs;
    params:  name -> kind; `defaults` are filled in by Node.make;
    traits:  what rooms ask of the operator; each room has its own code for it.
    """

    name: str
    dialect: str
    unit: str
    arity: tuple[int, int]
    shape: ShapeRule
    params: Mapping[str, Kind] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    extra: Callable[[Params], str | None] | None = None  # extra(params) -> sentence or None: rules between parameters
    traits: Trait = Trait.NONE
