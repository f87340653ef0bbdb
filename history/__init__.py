"""What outlives the log: checkpoints, and what only one process at a time may do."""
