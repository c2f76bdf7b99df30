"""The engines that run an integer network, by name: each a module with an ENGINE (engine.protocol), loaded when it is asked for.

Nothing else lists them: a new engine is a line here.
"""
ENGINES = {"fast": "hwsim.engine.fast", "reference": "hwsim.engine.reference"}
