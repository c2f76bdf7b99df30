"""A MODEL file opened: a float graph, or the integer network of a .hwq (spec/interfaces.md section 2)."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim import files, importers
from hwsim.errors import UsageError
from hwsim.graph import store
from hwsim.graph.integer import IntegerGraph
from hwsim.graph.node import Graph
from hwsim.imaging.source import InputSpec


@dataclass(frozen=True, eq=False)
class Model:
    """What a MODEL file holds: `graph`, a float graph, or `net`, an integer network; the other is None.

    sha256: of the file; sensor: cfa and input_bits of shipped models.
    """

    path: str
    sha256: str
    parameters: int
    graph: Graph | None
    net: IntegerGraph | None
    sensor: Mapping[str, object] = field(default_factory=dict)

    @property
    def network(self) -> Graph:
        """The graph whose inputs and outputs this model has, float or integer."""
        return self.net.graph if self.net is not None else self.float_graph

    @property
    def float_graph(self) -> Graph:
        """The float graph of a checkpoint. Errors: UsageError for a .hwq, which holds none."""
        if self.graph is None:
            raise _is_quantized(self.path)
        return self.graph

    @property
    def input_specs(self) -> tuple[InputSpec, ...]:
        """The inputs as imaging.source.InputSpec, in the model's order."""
        return tuple(InputSpec(name, self.network[name].params["shape"]) for name in self.network.inputs)

    def as_json(self) -> dict[str, Any]:
        """{path, sha256, parameters}: the key `model` of every report."""
        return {"path": self.path, "sha256": self.sha256, "parameters": self.parameters}


def open_model(path: str | Path) -> Model:
    """The Model in a .h5, .hdf5 or .hwq file. Errors: FileError, and what the importers say of a layer."""
    digest = files.sha256(path)
    if store.is_network(path):
        net = store.open_net(path)
        source = net.meta["source"]
        return Model(path=str(path), sha256=digest, parameters=source["parameters"], graph=None, net=net,
                     sensor=source.get("sensor", {}))
    graph = importers.load(path)
    return Model(path=str(path), sha256=digest, parameters=graph.parameters, graph=graph, net=None,
                 sensor=importers.sensor_defaults(path))


def open_float(path: str | Path) -> Model:
    """The Model in a float checkpoint. Errors: UsageError for a .hwq; those of open_model."""
    model = open_model(path)
    if model.graph is None:
        raise _is_quantized(model.path)
    return model


def _is_quantized(path: str) -> UsageError:
    return UsageError(f"{path}: the model must be a float checkpoint, not a quantized network")
