"""An engine each of whose steps runs inside a context manager of the caller: for clocks and counters of whatever engine."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.engine.protocol import Engine, EngineSession, Job
from hwsim.engine.result import LayerStats
from hwsim.graph.bands import RowMemory
from hwsim.graph.node import Node


@dataclass(frozen=True)
class Watched:
    """The Engine `engine`; around() is entered for every node."""

    engine: Engine
    around: Callable[[], AbstractContextManager[Any]]

    @property
    def name(self) -> str:
        """The name of the engine within."""
        return self.engine.name

    def prepare(self, job: Job) -> WatchedSession:
        """The engine's session, watched."""
        return WatchedSession(self.engine.prepare(job), self.around)


@dataclass(frozen=True, eq=False)
class WatchedSession:
    """An EngineSession that enters around() for the time of each node."""

    session: EngineSession[Any]
    around: Callable[[], AbstractContextManager[Any]]

    @property
    def rows(self) -> RowMemory[Any] | None:
        """Those of the session within."""
        return self.session.rows

    def put(self, codes: np.ndarray) -> Any:
        """The tensor of the session within."""
        return self.session.put(codes)

    def run(self, node: Node, tensors: list[Any]) -> tuple[Any, LayerStats]:
        """A node of the session within, inside around()."""
        with self.around():
            return self.session.run(node, tensors)

    def get(self, tensor: Any) -> np.ndarray:
        """The codes of a tensor of the session within."""
        return self.session.get(tensor)

    def release(self, node: Node) -> None:
        """Tells the session within."""
        self.session.release(node)
