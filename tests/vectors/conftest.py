import shutil

import pytest

from hwsim.vectors.simulate.simulators import find_simulator


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """One folder of simulator builds for the whole session: equal designs are built once."""
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="session")
def quickest():
    """The simulator that builds quickest: Icarus where there is one."""
    return find_simulator("icarus" if shutil.which("iverilog") else "verilator")
