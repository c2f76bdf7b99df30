"""Pictures of reports by matplotlib, an extra: loaded when asked for, written whole or not at all."""
from __future__ import annotations

import importlib
import os
from typing import Any

from hwsim import files
from hwsim.errors import MissingExtraError, UsageError

PLOTS = ("png", "svg", "pdf")


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Writes a figure whole or not at all, the same bytes for the same data; the kind follows the file's name."""
    kind = plot_kind(path)
    with files.whole(path) as file:
        figure.savefig(file, format=kind, bbox_inches="tight", metadata={"Date": None} if kind == "svg" else {})
    pyplot().close(figure)


def plot_kind(path: str | os.PathLike[str]) -> str:
    """png, svg or pdf: the ending of a picture's name. Errors: UsageError for another one."""
    kind = str(path).rpartition(".")[2].lower()
    if kind not in PLOTS:
        raise UsageError(f"{path}: a plot must end in {', '.join(PLOTS)}, not {kind}")
    return kind


def pyplot() -> Any:
    """matplotlib without a screen. Errors: MissingExtraError."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        return importlib.import_module("matplotlib.pyplot")
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
