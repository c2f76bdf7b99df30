"""The vector operators in compiled passes over memory: one per operator, no large temporaries, rows shared among threads."""
