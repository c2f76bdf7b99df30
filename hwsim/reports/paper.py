"""Where tables are printed."""
from rich.console import Console


class Paper(Console):
    """A console whose reader may leave early (`| head`): that is no failure."""

    def on_broken_pipe(self):
        raise BrokenPipeError
