"""The names of all engines: those of the engine room, and `stepped`, which is the device of this room clock by clock."""
from hwsim.engine import ENGINES

STEPPED = "stepped"
NAMES = (*ENGINES, STEPPED)
