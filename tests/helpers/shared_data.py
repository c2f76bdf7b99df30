"""Data that lies beside the repository and not in it: published checkpoints, conformance cases, pictures, frames of a sensor."""
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def needs_data(*places: str) -> pytest.MarkDecorator:
    """A skip that says which of these files and folders under DATA is absent."""
    absent = [place for place in places if not (DATA / place).exists()]
    return pytest.mark.skipif(bool(absent), reason=f"../shared/data/{', '.join(absent)} is not here")
