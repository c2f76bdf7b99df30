"""One command line in this process: its exit status, stdout and stderr."""
import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from hwsim.cli.main import status
from hwsim.imaging.picture import write_picture
from hwsim.imaging.scene import scene

MODEL = Path(__file__).resolve().parents[2] / "models" / "dephasenet10.h5"
Done = namedtuple("Done", "status out err")


@pytest.fixture
def cli(capfd):
    """cli("run", path, ...) -> Done(status, out, err)."""
    def run(*arguments):
        code = status([str(a) for a in arguments])
        return Done(code, *capfd.readouterr())
    return run


@pytest.fixture
def report(cli):
    """The JSON report of a command that must succeed."""
    def run(*arguments):
        done = cli(*arguments, "--json", "-")
        assert done.status == 0, done.err
        return json.loads(done.out)
    return run


@pytest.fixture
def model():
    return MODEL


@pytest.fixture
def picture(tmp_path):
    """A 48x32 RGB picture, written without any extra."""
    return write_picture(tmp_path / "picture.ppm", scene(32, 48, 3))


@pytest.fixture
def mosaic(tmp_path):
    """A 32x32 frame of 10-bit sensor codes."""
    path = tmp_path / "mosaic.npy"
    np.save(path, np.random.default_rng(1).integers(0, 1024, (1, 32, 32, 1)))
    return path
