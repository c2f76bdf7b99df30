"""One operator's entry in the table: what a legal node of it looks like."""
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

FLOAT, INTEGER, BOTH = "float", "integer", "both"
ARRAY, VECTOR, ADDRESS = "array", "vector", "address"
ANY = 1 << 30


@dataclass(frozen=True)
class OpSpec:
    """`shape(params, in_shapes)` gives the output shape (N first) or raises GraphError.

    dialect: the graphs in which the operator may stand (float, integer, or exact moves in both);
    unit:    what runs it on the device (spec/device.md section 5): array, vector or address;
    arity:   (least, most) number of inputs;
    params:  name -> kind; `defaults` are filled in by Node.make.
    """

    name: str
    dialect: str
    unit: str
    arity: tuple[int, int]
    shape: Callable
    params: Mapping[str, Callable] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    extra: Callable | None = None  # extra(params) -> sentence or None: rules between parameters
