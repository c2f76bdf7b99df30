"""An event of a trace that is not what a layer's files expect: what compare reports and causes explain."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Wrong:
    """One event that is not as expected: got and expected are hex words, cycles are clock cycles.

    got None: the event is missing; got and expected None: it came a second time, or it is D.
    """

    kind: str
    address: int
    got: str | None
    expected: str | None
    cycle: int | None
    expected_cycle: int

    @property
    def value_differs(self) -> bool:
        """Whether the word is not the expected one, or is missing."""
        return self.got != self.expected

    @property
    def wrong_word(self) -> bool:
        """Whether a word came that is not the expected one."""
        return self.value_differs and self.got is not None
