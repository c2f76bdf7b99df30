"""The only registry of operators: name -> OpSpec. To add one, write its file and name it here."""
from hwsim.ops import bilinear, conv2d, conv2d_transpose, dense, input, merge, moves, pointwise, pool

OPS = {spec.name: spec
       for module in (input, conv2d, conv2d_transpose, dense, pointwise, merge, pool, moves, bilinear)
       for spec in module.OPS}
