"""The console that tables are printed on."""
from __future__ import annotations

from rich.console import Console


class Paper(Console):
    """A console whose reader may leave early (`| head`): that is no failure."""

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError, which the command line takes as the end."""
        raise BrokenPipeError
