"""What several test files share: random networks, other implementations of a layer, hand-written checkpoints, child processes."""
