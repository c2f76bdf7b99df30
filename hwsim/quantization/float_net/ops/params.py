"""The type of a node's parameters (graph/node.py), as the float operators read them."""
from collections.abc import Mapping
from typing import Any, TypeAlias

Params: TypeAlias = Mapping[str, Any]
