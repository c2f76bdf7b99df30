"""Tables and lines for people, by rich, which is loaded when something is printed: numbers to the right, units in the head."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MANY = 8    # columns from which they stand closer


def console(stderr: bool = False) -> Any:
    """Where a person reads; a pipe gets plain text of a fixed width."""
    from hwsim.reports.paper import Paper
    plain: dict[str, Any] = {"stderr": stderr, "highlight": False, "emoji": False}
    paper = Paper(**plain)
    return paper if paper.is_terminal else Paper(**plain, width=160, force_terminal=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Any:
    """A rich Table; a column that starts with < is text and stays left. Where room is short text folds, numbers do not."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    padding = (0, 1) if len(columns) < MANY else (0, 1, 0, 0)
    grid = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=padding)
    for name in columns:
        text = name.startswith("<")
        grid.add_column(name.removeprefix("<"), justify="left" if text else "right", overflow="fold", no_wrap=not text)
    for row in rows:
        grid.add_row(*map(cell, row))
    return grid


def cell(value: object) -> str:
    """A value as text: thousands separated, missing ones a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def decibel(value: float | None) -> str:
    """dB to two places; equal signals have no finite figure."""
    if value is None:
        return "-"
    return "equal" if value == float("inf") else f"{value:.2f}"


def shape(sizes: Iterable[object]) -> str:
    """Sizes as 1x2x3."""
    return "x".join(map(str, sizes))
