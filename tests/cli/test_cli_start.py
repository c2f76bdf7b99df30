"""What a start costs: CPU seconds of a process whose modules and kernels are in their caches, and what it does not load."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwsim.cli.main import COMMANDS

resource = pytest.importorskip("resource")
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
RUN, HELP = 1.5, 0.3    # seconds, docs/performance.md
BUSY = 2                # what a second of work takes at most where others use the same cores
COMPILER, LIBRARIES = {"numba", "llvmlite"}, {"scipy", "skimage", "matplotlib", "PIL", "tifffile"}


def python(*arguments):
    """The stdout of a fresh interpreter that finds this checkout, and may keep its byte code."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout


def cpu_seconds(*arguments):
    """User and system time of a `hwsim` process, the least of three after one that fills the caches."""
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("-m", "hwsim", *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds[1:])


def loaded(*arguments):
    """The packages that a process holds after a command."""
    show = "import sys; from hwsim.cli.main import status; status(sys.argv[1:]); print(); print(*sys.modules)"
    return {name.partition(".")[0] for name in python("-c", show, *arguments).splitlines()[-1].split()}


@pytest.mark.speed
def test_the_second_start_of_a_run(model):
    assert cpu_seconds("run", str(model), "--act-bits", "11") < BUSY * RUN


@pytest.mark.speed
@pytest.mark.parametrize("command", [(), ("run",)])
def test_the_second_start_of_help(command):
    assert cpu_seconds(*command, "--help") < BUSY * HELP


def test_help_loads_the_parser_alone():
    assert not loaded("--help") & {*COMPILER, *LIBRARIES, "numpy", "h5py", "rich"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_no_compiler(command):
    assert not loaded(command, "--help") & {*COMPILER, *LIBRARIES, "rich"}


def test_a_run_loads_no_library_that_it_does_not_call(model):
    assert not loaded("run", str(model), "-q") & (LIBRARIES - {"scipy"})  # numba asks scipy for its version
