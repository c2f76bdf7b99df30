"""`python -m hwsim`: the command line."""
from hwsim.cli.main import main

main()
